"""Scores: MusicXML, MIDI and JSON, read into one form, with repeats and markings."""

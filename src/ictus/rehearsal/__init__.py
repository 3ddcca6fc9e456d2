"""Rehearsal: scores -> music whose truth is known (beats, bars, tempo, dynamics)."""

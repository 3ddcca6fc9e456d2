"""Corpora of players: films, prepared windows, and players that we make."""

"""Corpora of players: films, their preparation, and windows of what was prepared."""

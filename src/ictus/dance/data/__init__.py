"""Corpora of dance: on disk, prepared, and made from music whose beats are known."""

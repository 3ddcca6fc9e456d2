"""Corpora of conducting: on disk, and made from scores."""

"""Synthesis: scores and songs become music whose ground truth is known."""

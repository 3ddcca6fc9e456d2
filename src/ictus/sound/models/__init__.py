"""Networks that play: one file for each paper."""

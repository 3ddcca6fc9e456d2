"""Networks that dance: one file for each paper."""

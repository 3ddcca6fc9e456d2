"""Networks: one file for each paper."""

"""Networks that conduct: one file for each paper."""

"""What the metrics of all arts share."""

"""Building blocks that two arts or more share, and the folder in which every network is kept."""

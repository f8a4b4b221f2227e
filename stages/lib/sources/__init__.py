"""Where the raw archive comes from, and what may be in it."""

"""Which images are copies of one another."""

"""Which image belongs to which subset, and where it lies there."""

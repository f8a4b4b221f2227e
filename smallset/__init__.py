"""Use a trained classifier."""

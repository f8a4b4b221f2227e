"""Models, and runs, beside each other."""

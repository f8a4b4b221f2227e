"""Saved runs, and which of their models is in use."""

"""Retraining with nobody watching."""

"""Heads on cached features: fitted, chosen and judged by cross-validation on training images alone."""

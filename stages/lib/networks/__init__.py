"""Keras models: built, made faster, saved and loaded."""

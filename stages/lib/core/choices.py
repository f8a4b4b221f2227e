"""The words that say how an image is read, as the reader has them; without pydantic, which takes long to load."""

from smallset.images.choices import Color, Interpolation, ResizeMode

__all__ = ["Color", "Interpolation", "ResizeMode"]

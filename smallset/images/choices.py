"""The words that say how an image is read."""

from typing import Literal

Color = Literal["rgb", "grey"]
ResizeMode = Literal["stretch", "crop", "pad"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos3"]

"""The words that say how an image is read; what decodes images takes them from here, as pydantic takes long to load."""

from typing import Literal

Color = Literal["rgb", "grey"]
ResizeMode = Literal["stretch", "crop", "pad"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos3"]

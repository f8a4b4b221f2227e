"""What may be asked of an export; known without Keras."""

from dataclasses import dataclass
from typing import Literal, get_args

FormatName = Literal["onnx", "litert", "litert_int8", "saved_model", "openvino"]
FORMATS: tuple[FormatName, ...] = get_args(FormatName)
Layout = Literal["plain", "triton", "tf_serving"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
SERVED: dict[Layout, FormatName] = {"triton": "onnx", "tf_serving": "saved_model"}  # what each server takes


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        formats: without repetition.
        layout: of the files.
        margin: how much less accurate int8 may be, in shares.
        faster: how many times as fast as float32 int8 has to be.
    """

    formats: tuple[FormatName, ...]
    layout: Layout
    margin: float
    faster: float

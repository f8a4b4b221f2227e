"""What is asked of an export."""

from dataclasses import dataclass

from stages.lib.export.formats import FormatName
from stages.lib.export.layouts import Layout


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

"""Text that fits a number of columns, as a terminal counts them."""

import re

from rich.cells import cell_len, set_cell_size

_LONGEST = 2_000  # characters that are looked at
_PATH = re.compile(r"\S*[/\\]\S*")


def fitted(text: str, columns: int, mark: str = "…") -> str:
    """A line in at most so many columns: the longest path in it loses its middle first, then the line its end.

    Args:
        mark: what stands for what is left out.
    """
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}{mark}{text[-_LONGEST // 2 :]}"
    over = cell_len(text) - columns
    if over <= 0:
        return text
    path = max(_PATH.findall(text), key=cell_len, default="")
    shorter = _without_middle(path, max(cell_len(path) - over, _least(columns)), mark)
    if cell_len(shorter) < cell_len(path):
        text = text.replace(path, shorter, 1)
    return _without_end(text, columns, mark)


def _least(columns: int) -> int:
    """Columns that a path keeps: else nobody knows which it is."""
    return min(24, columns)


def _without_middle(text: str, columns: int, mark: str) -> str:
    if cell_len(text) <= columns:
        return text
    kept = max(0, columns - cell_len(mark))
    # More of the end, which has the file's name.
    return f"{_start(text, kept // 3)}{mark}{_start(text[::-1], kept - kept // 3)[::-1]}"


def _without_end(text: str, columns: int, mark: str) -> str:
    if cell_len(text) <= columns:
        return text
    return f"{_start(text, columns - cell_len(mark))}{mark}" if columns >= cell_len(mark) else ""


def _start(text: str, columns: int) -> str:
    """As much of a text as fits: no half of a wide character."""
    return set_cell_size(text, max(0, columns)).rstrip(" ") if cell_len(text) > columns else text

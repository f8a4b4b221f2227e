"""Predictions as a person reads them, on a terminal or through a pipe: a line for each image."""

import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from safety.text import visible
from smallset.inference.results import PREFIX, Prediction

MOST = 4  # classes with a column of their own
NEXT = 2  # classes named beside the predicted one where there are more
_LOOKED_AT = 256  # rows whose widths decide those of the columns


@contextmanager
def showing(classes: Sequence[str], decided: bool = False) -> Iterator[Callable[[Prediction], None]]:
    """Yield a function that prints a prediction, its names as they are but for what a terminal would obey.

    Of many classes only the likeliest are shown; then a last line on stderr says so. The first rows wait for each
    other, since the longest of them decides how wide a column is.

    Args:
        classes: names, in the order of the columns.
        decided: whether there is a column for the decision, after the class.
    """
    texts = 3 if decided else 2
    few = len(classes) <= MOST
    titles = [f"{PREFIX}{name}" for name in classes] if few else ["probability", "then"]
    rows = [[visible(title) for title in ("path", "predicted", *["decision"] * decided, *titles)]]
    widths: list[int] = []

    def begin() -> None:
        widths[:] = [max(map(_width, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            _print(row, widths, few, texts)
        rows.clear()

    def show(one: Prediction) -> None:
        numbers = [f"{one.probabilities[name]:.4f}" for name in classes] if few else _likeliest(one)
        row = [
            visible(cell)
            for cell in (one.path or f"image {one.index}", one.label, *[one.decision or ""] * decided, *numbers)
        ]
        if widths:
            _print(row, widths, few, texts)
            return
        rows.append(row)
        if len(rows) > _LOOKED_AT:
            begin()

    try:
        yield show
    finally:
        if len(rows) > 1 and not widths:
            begin()
    if not few and widths:
        left_out = len(classes) - 1 - NEXT
        told = f"{left_out} more classes have less: --output FILE writes the probability of every class"
        print(told, file=sys.stderr)


def _likeliest(one: Prediction) -> list[str]:
    """The probability of the predicted class, which need not be the likeliest, and the likeliest others."""
    others = [pair for pair in one.probabilities.items() if pair[0] != one.label]
    others.sort(key=lambda pair: -pair[1])
    return [f"{one.probability:.4f}", ", ".join(f"{name} {value:.4f}" for name, value in others[:NEXT])]


def _print(row: Sequence[str], widths: Sequence[int], few: bool, texts: int) -> None:
    cells = []
    for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - _width(cell))
        is_number = number >= texts and (few or number == texts)
        cells.append(space + cell if is_number else cell + space)
    print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Cells of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )

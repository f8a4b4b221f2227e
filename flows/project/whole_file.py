"""A file that appears whole or not at all, whatever ends its writer."""

import os
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Write a text beside its place and put it there at once; its folder is made where it is missing.

    Args:
        file: may be there already; it stays as it is where the text cannot be written.
        text: is written as UTF-8.

    Raises:
        OSError: it cannot be written; nothing is left beside it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)

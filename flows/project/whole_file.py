"""A file that appears whole or not at all, whatever ends its writer."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from threading import get_ident


def write_whole(file: Path, text: str) -> None:
    """Write a text beside its place and put it there at once; its folder is made where it is missing.

    Args:
        file: may be there already; it stays as it is where the text cannot be written, and keeps its permissions. A
            link becomes a file, since what it leads to may be another's.
        text: is written as UTF-8.

    Raises:
        OSError: it cannot be written; nothing is left beside it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        with suppress(OSError):  # no such file yet, or a file system without permissions
            if not file.is_symlink():
                shutil.copymode(file, partial)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)

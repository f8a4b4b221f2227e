"""Where a table or a folder of images goes: looked at before any work, and there whole or not at all."""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smallset.errors import UserError


def require_file(file: Path, option: str) -> None:
    """Make sure, before any work, that a file can be written.

    Args:
        file: to write.
        option: that names it, such as --output.

    Raises:
        UserError: it is a folder, lies in none, or nobody may write there.
    """
    target = file.resolve()
    if str(file) == "-":
        reason = "- is none; without one rows go to standard output, and /dev/stdout is the name of that"
    elif file.is_dir():
        reason = "found a folder"
    elif not _is_special(file) and not target.parent.is_dir():
        reason = f"{target.parent} is a file" if target.parent.exists() else "found no such folder"
    elif not os.access(file if _is_special(file) else target.parent, os.W_OK):  # a pipe without a name resolves to none
        reason = "writing is not permitted"
    else:
        return
    raise UserError(f"{option} {file}: expected a file to write in a folder that exists: {reason}")


def require_folder(folder: Path, option: str) -> None:
    """Make sure that a folder can be made, so that nothing in it is written over.

    Raises:
        UserError: something lies there, its parent is no folder, or nobody may write there.
    """
    target = folder.resolve()
    if target.is_dir() and any(target.iterdir()):
        reason = "it is not empty"
    elif target.exists() and not target.is_dir():
        reason = "found a file"
    elif not target.parent.is_dir():
        reason = f"found no folder {target.parent}"
    elif not os.access(target.parent, os.W_OK):
        reason = "writing is not permitted"
    else:
        return
    raise UserError(f"{option} {folder}: expected a folder that is new or empty: {reason}")


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `file` only when the block ends without an error.

    A link stays, and what it leads to is written; a pipe or a device is written to itself. Where standard output leads
    to a file, as by `>>`, it is gone on with.
    """
    if _is_special(file):
        yield file
        return
    target = file.resolve()
    partial = _beside(target)
    try:
        yield partial
        if _is_standard_output(target):
            with partial.open("rb") as whole, os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
                sys.stdout.flush()
                shutil.copyfileobj(whole, output)
        else:
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """The same of a folder, which is new or empty."""
    target = folder.resolve()
    partial = _beside(target)
    partial.mkdir()
    try:
        yield partial
        if target.is_dir():
            target.rmdir()
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def identity(path: str | Path) -> tuple[int, int] | None:
    """By which a file is known, whatever it is called; None where there is none."""
    try:
        about = Path(path).stat()
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino


def _beside(target: Path) -> Path:
    # A name that nobody knows before, so that two commands at once, or a link laid there, do no harm.
    start = os.fsencode(target.name)[:100].decode(errors="ignore")
    return target.with_name(f".{start}.{secrets.token_hex(4)}.partial")


def _is_standard_output(file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), file.stat())
    except (OSError, ValueError):  # it is closed, or no file of the system
        return False


def _is_special(file: Path) -> bool:
    """Whether it is a pipe or a device, which is written to and never replaced."""
    return file.exists() and not file.is_file()

"""Outputs that appear whole or not at all: written beside their place, renamed at the end."""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.lib.core.errors import UserError

DISABLED = "disabled.txt"
_TURNED_OFF = "Turned off by"


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent / f".{path.name}.partial"


def remove(path: Path) -> None:
    """Delete a file, a link or a whole directory, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `path` only when the block ends without an error."""
    partial = _beside(path)
    remove(partial)
    try:
        yield partial
        partial.replace(path)
    finally:
        remove(partial)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory to fill; it becomes `path` only when the block ends without an error."""
    partial = _beside(path)
    remove(partial)
    partial.mkdir()
    try:
        yield partial
        remove(path)
        partial.replace(path)
    finally:
        remove(partial)


def write_csv(table: Any, file: Path, **options: Any) -> None:
    """Write a pandas table without its index, so that names of any kind read back as they were.

    Args:
        table: a `pandas.DataFrame`.
        file: to write, in UTF-8.
        options: of `DataFrame.to_csv`.
    """
    text = table.to_csv(index=False, **options)
    # Pandas does not quote what ends a row for whoever reads it.
    if "\r" in text:
        text = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, **options)
    file.write_text(text, encoding="utf-8", newline="")


def write_json(values: Any, file: Path) -> None:
    """Write figures as JSON, whole or not at all, a line each so that git shows what changed."""
    with atomic_file(file) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def disable(directory: Path, stage: str, reason: str | None = None) -> None:
    """Write the output of a stage that its parameters turn off: a directory with only a sentence that says so.

    Args:
        directory: the output of the stage.
        stage: name of the stage.
        reason: one sentence; None where `enabled` is false.
    """
    told = f"{_TURNED_OFF} `{stage}.enabled: false` in params.yaml." if reason is None else reason
    with atomic_directory(directory) as partial:
        (partial / DISABLED).write_text(told + "\n", encoding="utf-8")
    print(f"{stage}: turned off in params.yaml" if reason is None else reason)


def reasons(folder: Path) -> list[str]:
    """Why outputs below a folder were left out that nobody turned off, a sentence each.

    Args:
        folder: of the outputs of several stages.
    """
    told = [file.read_text(encoding="utf-8").strip() for file in sorted(folder.glob(f"*/{DISABLED}"))]
    return [sentence for sentence in told if not sentence.startswith(_TURNED_OFF)]


def require(directory: Path, needed: str, stage: str) -> None:
    """Refuse to run `stage` on the output of a stage that is turned off.

    Args:
        directory: the output of the stage that is needed.
        needed: name of that stage.
        stage: name of the stage that needs it.

    Raises:
        UserError: `disable` wrote the output of `needed`.
    """
    if is_disabled(directory):
        raise UserError(f"{stage} needs {needed}: set {needed}.enabled to true, or {stage}.enabled to false")


def is_disabled(directory: Path) -> bool:
    """Whether `disable` wrote this output."""
    return (directory / DISABLED).is_file()

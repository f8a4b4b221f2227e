"""The options that the benchmarks share."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile

import typer

from stages.lib.core.errors import UserError

Archive = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A zip of images.", show_default=False)]
Bundle = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="Directory of a bundle.", show_default=False)
]
Dataset = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="What the stage `split` wrote.", show_default=False)
]
PresetFolder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="A preset directory.", show_default=False)
]
Images = Annotated[int, typer.Option(min=2, help="Training images; half as many to validate on.")]
Turns = Annotated[int, typer.Option(min=1, help="Epochs that are measured.")]
Size = Annotated[int, typer.Option(min=32, help="Pixels.")]
Batch = Annotated[int, typer.Option(min=1, help="Images of a step.")]
Only = Annotated[str, typer.Option(help="One of the stages; all take longer.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, with each measurement.")]


@contextmanager
def mistakes_in_one_line() -> Iterator[None]:
    """End the command in one line where somebody's images, or what is there of a project, cannot be read."""
    try:
        yield
    except (UserError, BadZipFile, FileNotFoundError) as error:
        sys.exit(f"error: {error}")


def require_one_of(only: str, names: Collection[str]) -> None:
    """End the command in one line where `--only` is none of these names, rather than measure nothing; empty is all."""
    if only and only not in names:
        raise typer.BadParameter(f"expected one of {', '.join(names)}. Received: {only}", param_hint="--only")

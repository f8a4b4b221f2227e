"""The options that the benchmarks share."""

from collections.abc import Collection
from typing import Annotated

import typer

Images = Annotated[int, typer.Option(min=2, help="Training images; half as many to validate on.")]
Turns = Annotated[int, typer.Option(min=1, help="Epochs that are measured.")]
Size = Annotated[int, typer.Option(min=32, help="Pixels.")]
Batch = Annotated[int, typer.Option(min=1, help="Images of a step.")]
Only = Annotated[str, typer.Option(help="One of the stages; all take longer.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, with each measurement.")]


def require_one_of(only: str, names: Collection[str]) -> None:
    """End the command in one line where `--only` is none of these names, rather than measure nothing; empty is all."""
    if only and only not in names:
        raise typer.BadParameter(f"expected one of {', '.join(names)}. Received: {only}", param_hint="--only")

"""The options that the benchmarks share."""

from typing import Annotated

import typer

Images = Annotated[int, typer.Option(min=2, help="Training images; half as many to validate on.")]
Turns = Annotated[int, typer.Option(min=1, help="Epochs that are measured.")]
Size = Annotated[int, typer.Option(min=32, help="Pixels.")]
Batch = Annotated[int, typer.Option(min=1, help="Images of a step.")]
Only = Annotated[str, typer.Option(help="One of the stages; all take longer.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, with each measurement.")]

"""The commands of a project of one's own: `smallset new, upgrade`."""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.errors import ended_by_signals, one_line_errors
from flows.project import place

app = typer.Typer()


@app.command(epilog="Examples: smallset new birds ~/photos/birds | smallset new birds")
def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make.", show_default=False)],
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="Its images, as `smallset run` takes them.", show_default=False),
    ] = None,
) -> None:
    """Make a project of your own: a git repository that can take over a newer pipeline later."""
    with one_line_errors(), ended_by_signals():
        from flows.upstream.new import create

        _say(create(place.as_typed(name), source, place.typed_in()))


@app.command(epilog="Examples: smallset upgrade | smallset upgrade v1.2.0 | smallset upgrade --from ../smallset")
def upgrade(
    revision: Annotated[
        str | None,
        typer.Argument(
            metavar="REV", help="Branch, tag or commit of the pipeline; else its newest.", show_default=False
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="REPOSITORY", help="Of the pipeline; else `upstream`.", show_default=False),
    ] = None,
) -> None:
    """Merge a newer pipeline into this project: your results, parameters and edits stay."""
    with one_line_errors(), ended_by_signals():
        from flows.upstream.upgrade import upgrade as run_upgrade

        path = place.as_typed(Path(source)) if source else None
        address = str(path) if path and path.exists() else source
        _say(run_upgrade(revision, address))


def _say(lines: Sequence[str]) -> None:
    """Print lines, which name many files and keys: as they are into a pipe, broken between words at a terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    wrapper = textwrap.TextWrapper(
        max(width, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    for line in lines:
        whole = len(line) <= width or not width or line.startswith(" ")
        typer.echo(line if whole else wrapper.fill(line))

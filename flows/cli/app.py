"""The command line: `smallset ...`, put together of what has the commands."""

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import keeping, looking, own_code, running, upstream, using
from flows.cli.errors import one_line_errors
from flows.cli.panels import Grouped
from flows.project import place
from smallset.cli import commands

app = typer.Typer(
    cls=Grouped,
    help="From a small folder of labelled images to an image classifier you can trust.",
    epilog="Start with `smallset run FOLDER`; `smallset COMMAND --help` has examples, and after `smallset "
    "--install-completion` the Tab key names commands, options, profiles, stages and saved runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _commands in (running, upstream, looking, using, keeping):
    app.add_typer(_commands.app)


def main() -> None:
    """Run the command that the arguments ask for."""
    app(prog_name="smallset")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("smallset"))
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar=place.VARIABLE,
            help="The project; else the one that the working directory lies in.",
            show_default=False,
        ),
    ] = None,
) -> None:
    command, typed_in = context.invoked_subcommand, Path.cwd()
    # These find their project by themselves, and read paths from where they are called.
    if command in ("new", *commands.COMMANDS) or (command == "dvc" and project is None):
        if project is not None:
            os.environ[place.VARIABLE] = str(typed_in / project.expanduser())
        return
    with one_line_errors():
        folder = place.enter(project)
    # A newer pipeline is brought into a project by the newer code.
    if folder and command != "upgrade":
        own_code.hand_over(folder, typed_in)

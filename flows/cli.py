"""The command line: `smallset ...`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flows.errors import FlowError

INTERRUPTED = 130
app = typer.Typer(
    help="From a small folder of labelled pictures to an image classifier you can trust.",
    epilog="Start with `smallset run`; `smallset COMMAND --help` has examples.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command(epilog="Examples: smallset run | smallset run --width 2")
def run(
    width: Annotated[int, typer.Option(min=1, help="Stages that may run side by side.")] = 1,
) -> None:
    """Run every stage that changed, then show the results."""
    with _one_line_errors(), _ended_by_signals():
        from flows.run_command import run_and_show

        run_and_show(width)


@app.command(epilog="Examples: smallset use dogs_vs_cats | smallset use digits | smallset use default")
def use(
    profile: Annotated[str, typer.Argument(help="A file in profiles/, without .yaml.")],
) -> None:
    """Write the values of a profile over params.yaml, and show what changed."""
    with _one_line_errors():
        from flows import profiles

        changes = profiles.use(profile)
        typer.echo("\n".join(changes) or f"params.yaml already has the values of {profile}")


@app.command()
def status() -> None:
    """Show which stages a run would execute, and why; and the models that exist."""
    with _one_line_errors():
        from flows import tables
        from flows.graph import read_stages
        from flows.results import read_models

        tables.show_status(read_stages())
        tables.show_models(read_models())


@app.command(epilog="Examples: smallset predict cat.jpg | smallset predict holiday/ --csv probabilities.csv")
def predict(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.", show_default=False)],
    model: Annotated[str | None, typer.Option(metavar="NAME", help="A model; else the recommended one.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every probability to this table.")] = None,
) -> None:
    """Classify pictures with a model that a run has trained."""
    with _one_line_errors():
        from flows.workspace import require_project

        require_project()
        options = (["--model", model] if model else []) + (["--csv", str(csv)] if csv else [])
        command = [sys.executable, "-m", "stages.predict", *options, "--", *map(str, paths)]
        raise typer.Exit(subprocess.call(command))


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except FlowError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("interrupted: finished stages are kept, run again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal unwind as Ctrl-C does, so that stages and Prefect's server end too."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    main()

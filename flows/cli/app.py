"""The command line: `smallset ...`, and its first commands `run`, `use` and `dvc`."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completion, looking, operations, own_code, saved_runs, upstream, using
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.cli.panels import Grouped
from flows.project import place
from safety.text import visible
from smallset.cli import commands

app = typer.Typer(
    cls=Grouped,
    help="From a small folder of labelled images to an image classifier you can trust.",
    epilog="Start with `smallset run FOLDER`; `smallset COMMAND --help` has examples, and after `smallset "
    "--install-completion` the Tab key names commands, options, profiles, stages and saved runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(looking.app)
app.add_typer(using.app)
app.add_typer(saved_runs.app)
app.add_typer(operations.app)
app.add_typer(upstream.app)


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


@app.command(
    epilog="Examples: smallset run | smallset run ~/Pictures/birds | smallset run birds.zip --look | "
    "smallset run labels.csv --only head | smallset run --set scratch.epochs=3"
)
def run(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="Images: a folder, archive, address, or a csv (path,label) beside them; else those of params.yaml.",
            show_default=False,
        ),
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", "--dry-run", help="Only look at the images and say what a run would do.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGES", help="Only these and what they need, such as features,head.", show_default=False
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter in params.yaml first.", show_default=False),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As `smallset use NAME` first.", autocompletion=completion.profiles),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="The backbone: a name, a handle, a directory; sample: drawings."),
    ] = None,
    width: saved_runs.Width = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the run as a commit on a branch of its own.")] = False,
    workers: saved_runs.Workers = None,
) -> None:
    """Run every stage that changed, then show the results; with SOURCE on those images from now on."""
    with one_line_errors("run"), ended_by_signals():
        from flows.cli import run_command
        from flows.planning.plan import Asked
        from flows.project.readiness import advice

        asked = Asked(place.typed_in(), source, settings or (), profile, preset, look)
        if look:
            run_command.look_and_plan(asked, only or ())
        else:
            run_command.plan_and_run(asked, only or (), width, save, workers)
            if line := advice():
                typer.echo(line)


@app.command(epilog="Examples: smallset use dogs_vs_cats | smallset use digits | smallset use default")
def use(
    profile: Annotated[
        str, typer.Argument(help="A file in profiles/, without .yaml.", autocompletion=completion.profiles)
    ],
) -> None:
    """Write the values of a profile over params.yaml, and show what changed."""
    with one_line_errors():
        from flows.project import profiles

        changes = profiles.use(profile)
        typer.echo("\n".join(map(visible, changes)) or f"params.yaml already has the values of {profile}")


@app.command(
    context_settings=using.PASSED_ON,
    epilog="Examples: smallset dvc pull | smallset dvc artifacts get URL classifier --rev v1.2.0",
)
def dvc(context: typer.Context) -> None:
    """Run DVC itself, and lay down nothing of a remote that is not what its checksum says or leaves its place."""
    from flows.project.dvc_guard import DVC

    raise typer.Exit(subprocess.call([*DVC, *context.args]))

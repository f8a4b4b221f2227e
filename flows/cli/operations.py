"""The commands of whoever operates it: `smallset doctor, show, clean`."""

import json
from typing import Annotated

import typer

from flows.cli import completion
from flows.cli.errors import one_line_errors
from safety.text import plain, visible

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Everything, for programs.")]
Branch = Annotated[
    str | None,
    typer.Option(
        help="Whose runs; else the one that is checked out.", show_default=False, autocompletion=completion.branches
    ),
]


@app.command(epilog="Examples: smallset doctor | smallset doctor --json")
def doctor(as_json: AsJson = False) -> None:
    """Look whether remotes, the model in use, the schedule and this machine are in order; exit code 1 if not."""
    with one_line_errors():
        from flows.operating import doctor as looking

        checks = looking.examine()
        if as_json:
            typer.echo(looking.as_json(checks))
        else:
            looking.show(checks)
        raise typer.Exit(0 if looking.is_healthy(checks) else 1)


@app.command(epilog="Examples: smallset show | smallset show in-use | smallset show run/20261124T030000Z-4f1c2a --json")
def show(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|in-use]",
            help="A saved run, or that whose model is in use; else the latest.",
            autocompletion=completion.runs_and_in_use,
        ),
    ] = None,
    branch: Branch = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a run: code, data, parameters, machine, figures, decision, and how to get its model."""
    with one_line_errors():
        from flows.registry.show import describe
        from flows.registry.shown import lines_of

        found = describe(run, branch)
        if as_json:
            typer.echo(json.dumps(plain(found), indent=2))
        else:
            typer.echo("\n".join(map(visible, lines_of(found))))


@app.command(epilog="Examples: smallset clean --keep 20 --dry-run | smallset clean --keep 20 --remote")
def clean(
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="The latest runs, which stay.", show_default=False)],
    branch: Branch = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go, and how many bytes.")] = False,
    remote: Annotated[
        bool, typer.Option("--remote", help="Also data in the DVC remote; while no other machine runs anything.")
    ] = False,
) -> None:
    """Remove the tags of old runs and the data that only they have; never of one that was promoted at any time."""
    with one_line_errors():
        from flows.operating import clean as cleaning

        for line in cleaning.clean(keep, branch, dry_run, remote):
            typer.echo(visible(line))

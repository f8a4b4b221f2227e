"""The commands that keep it in order: `smallset promote, rollback, hold, release, doctor, clean, dvc`."""

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completion
from flows.cli.errors import one_line_errors
from flows.cli.options import PASSED_ON, AsJson, Branch
from safety.text import shown, visible

app = typer.Typer()

_NO_REPOSITORY = 253  # exit code of DVC's
Message = Annotated[str, typer.Option(help="Why, in words that `history` and `show` repeat.")]
Push = Annotated[bool, typer.Option("--push", help="Also tell the repository this one was cloned from.")]


@app.command(epilog="Examples: smallset promote | smallset promote run/20261124T030000Z-4f1c2a --push")
def promote(
    run: Annotated[
        str | None,
        typer.Argument(help="A saved run; else the latest.", show_default=False, autocompletion=completion.runs),
    ] = None,
    message: Message = "by hand",
    branch: Branch = None,
    push: Push = False,
    force: Annotated[bool, typer.Option("--force", help="Also one that failed, was rejected, or is lost.")] = False,
) -> None:
    """Put the classifier of a run into use, whatever is held: a version and a stage of GTO."""
    with one_line_errors():
        from flows.registry import promotion

        typer.echo(shown(promotion.promote(run, message, branch, push, force)))


@app.command(epilog="Examples: smallset rollback | smallset rollback --message 'wrong on new cameras' --push")
def rollback(message: Message = "by hand", branch: Branch = None, push: Push = False) -> None:
    """Put the version into use again that was in use before the present one, and hold it."""
    with one_line_errors():
        from flows.registry import promotion

        typer.echo(shown(promotion.rollback(message, branch, push)))


@app.command(epilog="Examples: smallset hold --message 'until the audit' --push")
def hold(message: Message = "by hand", branch: Branch = None, push: Push = False) -> None:
    """Keep the version in use, whatever retraining finds, until `release` or `promote`."""
    with one_line_errors():
        from flows.registry import promotion

        typer.echo(shown(promotion.hold(message, branch, push)))


@app.command(epilog="Examples: smallset release --message 'audit is over' --push")
def release(message: Message = "by hand", branch: Branch = None, push: Push = False) -> None:
    """Let retraining put better models into use again, after `hold` or `rollback`."""
    with one_line_errors():
        from flows.registry import promotion

        typer.echo(shown(promotion.release(message, branch, push)))


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


@app.command(
    context_settings=PASSED_ON,
    epilog="Examples: smallset dvc pull | smallset dvc artifacts get URL classifier --rev v1.2.0",
)
def dvc(context: typer.Context) -> None:
    """Run DVC itself, and lay down nothing of a remote that is not what its checksum says or leaves its place."""
    from flows.project import place
    from flows.project.dvc_guard import DVC
    from flows.project.workspace import require_project

    code = subprocess.call([*DVC, *context.args])
    if code == _NO_REPOSITORY and place.find(Path.cwd()) is None:
        with one_line_errors():
            require_project()
    raise typer.Exit(code)

"""The commands of saved runs: `smallset retrain, schedule, history, promote, rollback, hold, release`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import completion
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.errors import FlowError
from flows.project import place
from safety.text import plain, shown

app = typer.Typer()

Repository = Annotated[str, typer.Option(metavar="URL", help="The repository: anything that git clones.")]
Branch = Annotated[
    str | None,
    typer.Option(
        help="Whose runs; else the one that is checked out.", show_default=False, autocompletion=completion.branches
    ),
]
SourceBranch = Annotated[str, typer.Option(help="The branch to run.", autocompletion=completion.branches)]
Checkout = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="The clean checkout, kept; else one below ~/.smallset.")
]
Profile = Annotated[
    str | None, typer.Option(help="A file in profiles/, without .yaml.", autocompletion=completion.profiles)
]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As scratch.epochs=3.")]
Width = Annotated[
    int | None,
    typer.Option(min=1, help="Stages side by side; else two where there is room, or one a worker.", show_default=False),
]
Workers = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Of a Dask scheduler, on whose workers stages run.", show_default=False),
]
Message = Annotated[str, typer.Option(help="Why.")]
Push = Annotated[bool, typer.Option("--push", help="Also tell the repository this one was cloned from.")]


@app.command(epilog="Examples: smallset retrain | smallset retrain --repository git@host:birds.git --branch main")
def retrain(
    repository: Repository = ".",
    branch: SourceBranch = "main",
    checkout: Checkout = None,
    profile: Profile = None,
    set_: Overrides = None,
    width: Width = None,
    workers: Workers = None,
) -> None:
    """Run what changed in a clean checkout, save the run, promote its model if the gate lets it, and push."""
    with one_line_errors("retrain"), ended_by_signals():
        from flows.terminal.shown import shown as shown_live

        parameters = _parameters(checkout, profile, set_, width, workers)
        with shown_live():
            from flows.retraining.retrain import run_retrain

            message, code = run_retrain(repository=_as_typed(repository), branch=branch, **parameters)
        typer.echo(shown(message))
        raise typer.Exit(code)


@app.command(epilog='Examples: smallset schedule --cron "0 3 * * 1" | smallset schedule --every 3600 --branch main')
def schedule(
    cron: Annotated[str | None, typer.Option(help="Minute, hour, day, month, weekday.", show_default=False)] = None,
    every: Annotated[float | None, typer.Option(min=1, metavar="SECONDS", show_default=False)] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the hours of --cron; else the machine's.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the deployment; else repository and branch.", show_default=False)
    ] = None,
    repository: Repository = ".",
    branch: SourceBranch = "main",
    checkout: Checkout = None,
    profile: Profile = None,
    set_: Overrides = None,
    width: Width = None,
    workers: Workers = None,
) -> None:
    """Retrain on a schedule, and whenever the Prefect server is asked to; until interrupted."""
    with one_line_errors(), ended_by_signals():
        from flows.retraining.hours import read_schedule
        from flows.retraining.schedule import serve as serve_deployment

        if (cron is None) == (every is None):
            raise FlowError('expected a schedule: --cron "0 3 * * 1", or --every SECONDS')
        timing = read_schedule(cron, every, timezone)
        serve_deployment(
            _as_typed(repository), branch, timing, _parameters(checkout, profile, set_, width, workers), name
        )


@app.command(epilog="Examples: smallset history | smallset history --branch main --most 5 | smallset history --json")
def history(
    branch: Branch = None,
    most: Annotated[int, typer.Option(min=1, help="Runs shown.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Everything of each run.")] = False,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="With --json: what people did instead.")] = False,
) -> None:
    """Show the saved runs, the latest first: when, which commit and images, how good, and what was decided."""
    with one_line_errors():
        from dataclasses import asdict

        from flows.cli.history_table import show_history
        from flows.registry import saved_runs
        from flows.registry.history import describe_use, read_history, read_words

        entries = read_history(saved_runs.Workspace.here(branch), most)
        if as_json:
            words = read_words() if by_hand else entries
            typer.echo(json.dumps(plain([asdict(entry) for entry in words]), indent=2))
        else:
            oldest = min((entry.started for entry in entries if entry.started), default="")
            show_history(entries, read_words(oldest), describe_use())


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


def _as_typed(repository: str) -> str:
    """The default is the project itself; a path that is typed is read from where that is done."""
    path = place.as_typed(Path(repository))
    return str(path) if repository != "." and path.exists() else repository


def _parameters(
    checkout: Path | None, profile: str | None, settings: list[str] | None, width: int | None, workers: str | None
) -> dict[str, Any]:
    from flows.planning.settings import read_settings

    return {
        "checkout": str(place.as_typed(checkout).resolve()) if checkout else None,
        "profile": profile,
        "overrides": read_settings(settings or []) or None,
        "width": width,
        "workers": workers,
    }

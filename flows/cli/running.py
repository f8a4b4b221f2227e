"""The commands that run the pipeline: `smallset run, use, retrain, schedule`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import completion
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.errors import FlowError
from flows.project import place
from safety.text import shown, visible

app = typer.Typer()

Repository = Annotated[str, typer.Option(metavar="URL", help="The repository: anything that git clones.")]
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
    typer.Option(
        metavar="ADDRESS", help="The address of a Dask scheduler, on whose workers stages run.", show_default=False
    ),
]


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
    width: Width = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the run as a commit on a branch of its own.")] = False,
    workers: Workers = None,
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
        from flows.project.workspace import require_project

        require_project()
        changes = profiles.use(profile)
        typer.echo("\n".join(map(visible, changes)) or f"params.yaml already has the values of {profile}")


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

            message, code = run_retrain(repository=_repository(repository), branch=branch, **parameters)
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
            _repository(repository), branch, timing, _parameters(checkout, profile, set_, width, workers), name
        )


def _repository(repository: str) -> str:
    """The default is the project itself; a path that is typed is read from where that is done."""
    from flows.project.readiness import require_commit, require_own_repository
    from flows.project.workspace import require_project

    if repository == ".":
        require_project()
        require_commit()
        require_own_repository()
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

"""The command line: `smallset ...`."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completion, operations, own_code, saved_runs, start, upstream
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.cli.panels import Grouped
from flows.errors import FlowError
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
# Of commands whose words another program reads.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": list[str]()}
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


@app.command(epilog="Examples: smallset status | smallset status > status.txt")
def status() -> None:
    """Show what a run would do, why, and how long that took last time; and the models that exist."""
    with one_line_errors():
        from flows.cli import tables
        from flows.project.graph import read_stages, up_to_date
        from flows.project.parameters import check_parameters
        from flows.project.workspace import require_project
        from flows.run.origin import describe
        from flows.run.provenance import last_times
        from flows.run.results import headline_and_verdict, read_results
        from flows.terminal.tables import say

        require_project()
        check_parameters()
        stages = read_stages()
        tables.show_status(stages, last_times())
        found, older = read_results(up_to_date(stages))
        if older:
            say(describe(stages))
            tables.show_models(older)
            if line := headline_and_verdict(older.summary):
                say(f"then: {line}")
        tables.show_models(found)
        if line := headline_and_verdict(found.summary):
            say(line)


@app.command(epilog="Examples: smallset log | smallset log fine_tuned | smallset log split | grep rejected")
def log(
    stage: Annotated[
        str | None,
        typer.Argument(help="Else which there are.", show_default=False, autocompletion=completion.stages),
    ] = None,
) -> None:
    """Show the whole output that a stage had when it last ran here."""
    with one_line_errors():
        from flows.cli.log_command import show_log
        from flows.project.workspace import require_project

        require_project()
        show_log(stage)


@app.command(context_settings=_PASSED_ON, epilog="Examples: smallset predict cat.jpg | smallset predict --help")
def predict(context: typer.Context) -> None:
    """Classify images with a model that a run has trained."""
    raise typer.Exit(start.run(["predict", *context.args]))


@app.command(context_settings=_PASSED_ON, epilog="Examples: smallset verify | smallset verify models/classifier")
def verify(context: typer.Context) -> None:
    """Prove with its examples that a bundle reads and classifies images here as where it was made."""
    raise typer.Exit(start.run(["verify", *context.args]))


@app.command(
    epilog="Examples: smallset export | smallset export --format onnx --output for_the_phone | "
    "smallset export --model fine_tuned --layout triton"
)
def export(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As of predict; else the recommended model.", show_default=False),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="onnx, litert, litert_int8, saved_model, openvino or all.")
    ] = "all",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="New or empty; else exports/<model>.", show_default=False),
    ] = None,
    layout: Annotated[
        str, typer.Option(metavar="LAYOUT", help="plain, or a model repository: triton, tf_serving.")
    ] = "plain",
    margin: Annotated[float, typer.Option(metavar="SHARE", help="How much accuracy int8 is shown not to lose.")] = 0.01,
    faster: Annotated[
        float, typer.Option(metavar="TIMES", help="How many times as fast as float32 int8 has to be.")
    ] = 1.5,
) -> None:
    """Write a model for other runtimes, each file tried beside Keras on every test image."""
    with one_line_errors(), ended_by_signals():
        from flows.cli import export_command

        options = {"--format": form, "--layout": layout, "--margin": margin, "--faster": faster}
        words = [word for name, value in options.items() for word in (name, str(value))]
        raise typer.Exit(export_command.export(model, output, words))


@app.command(epilog="Examples: smallset compare HEAD~1 | smallset compare v1 v2 | smallset compare --base origin/main")
def compare(
    revision: Annotated[
        str | None,
        typer.Argument(metavar="REV", help="A git revision or a DVC experiment.", autocompletion=completion.revisions),
    ] = None,
    other: Annotated[
        str | None,
        typer.Argument(metavar="REV", help="Another; else the workspace.", autocompletion=completion.revisions),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="BRANCH", help="Beside where this branch left that one.", autocompletion=completion.branches
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a comment for a pull request.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every figure.")] = False,
) -> None:
    """Compare the models of an earlier run with those here, on the same test images."""
    with one_line_errors(), ended_by_signals():
        from flows.cli import compare_command

        if markdown and as_json:
            raise FlowError("expected --markdown or --json. Received: both")
        form = "markdown" if markdown else "json" if as_json else "text"
        if (revision is None) == (base is None):
            raise FlowError(f"expected a revision or --base. Received: {'both' if base else 'neither'}")
        if base:
            raise typer.Exit(compare_command.compare_with_base(base, form))
        raise typer.Exit(compare_command.compare(str(revision), other, form))


@app.command(name="branch-point", epilog="Examples: smallset branch-point origin/main")
def branch_point(
    base: Annotated[
        str,
        typer.Argument(
            metavar="BRANCH", help="The branch that this one was begun from.", autocompletion=completion.branches
        ),
    ],
) -> None:
    """Show the revision with the results that were really there where this branch left another one."""
    with one_line_errors(), ended_by_signals():
        from flows.cli import compare_command

        compare_command.show_branch_point(base)


@app.command(
    context_settings=_PASSED_ON,
    epilog="Examples: smallset dvc pull | smallset dvc artifacts get URL classifier --rev v1.2.0",
)
def dvc(context: typer.Context) -> None:
    """Run DVC itself, and lay down nothing of a remote that is not what its checksum says or leaves its place."""
    from flows.project.dvc_guard import DVC

    raise typer.Exit(subprocess.call([*DVC, *context.args]))


@app.command(epilog="Examples: smallset report | smallset report --output for_the_review.html")
def report(
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page to write; else report/run.html.", show_default=False)
    ] = None,
) -> None:
    """Write the report together with its run: commit, machine, and how long each stage took."""
    with one_line_errors():
        from flows.registry import run_report
        from flows.run.origin import notice

        page = place.as_typed(output) if output else Path("report/run.html")
        run_report.write(page)
        typer.echo(visible(f"report: {page.resolve()}"))
        if line := notice("report"):
            typer.echo(line)

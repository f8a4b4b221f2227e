"""The commands that show what runs have made: `smallset status, report, log, compare, history, show, branch-point`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completion
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.cli.options import AsJson, Branch
from flows.errors import FlowError
from flows.project import place
from safety.text import plain, visible

app = typer.Typer()


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
        from flows.project.workspace import require_project

        if markdown and as_json:
            raise FlowError("expected --markdown or --json. Received: both")
        form = "markdown" if markdown else "json" if as_json else "text"
        if (revision is None) == (base is None):
            raise FlowError(f"expected a revision or --base. Received: {'both' if base else 'neither'}")
        require_project()
        if base:
            raise typer.Exit(compare_command.compare_with_base(base, form))
        raise typer.Exit(compare_command.compare(str(revision), other, form))


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
        from flows.project.workspace import require_project
        from flows.registry.show import describe
        from flows.registry.shown import lines_of

        require_project()
        found = describe(run, branch)
        if as_json:
            typer.echo(json.dumps(plain(found), indent=2))
        else:
            typer.echo("\n".join(map(visible, lines_of(found))))


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
        from flows.project.workspace import require_project

        require_project()
        compare_command.show_branch_point(base)

"""`smallset run`: what is asked for, the flow in this process, and what it came to."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult, done
from flows.planning import duration, words
from flows.planning.plan import Asked, Plan, make_plan, work_of
from flows.planning.stages import stage_names, wanted
from flows.planning.work import PLANNED
from flows.project import profiles
from flows.project.graph import read_stages, up_to_date, with_upstream
from flows.project.idle import idle_among
from flows.project.parameters import PARAMS
from flows.project.workspace import exclusive, require_project
from flows.run.provenance import read_record
from flows.terminal.bars import silence_bars
from flows.terminal.shown import shown
from flows.terminal.tables import say
from flows.terminal.words import duration as in_words
from safety.text import visible
from safety.words import counted


def plan_and_run(asked: Asked, only: Sequence[str], width: int | None, save: bool, workers: str | None = None) -> None:
    """Write what is asked for into params.yaml, say what will be done, and do it.

    Args:
        only: stages that it is about, as `flows.planning.stages.wanted` takes them; none: all.
        width: of `flows.run.pipeline`.
        save: as `run_and_show` takes it.
        workers: of `flows.run.pipeline`.

    Raises:
        UsageError: what is asked for cannot be meant; params.yaml is as it was.
        FlowError: it cannot be done; likewise. Or a stage failed.
    """
    require_project()
    silence_bars()
    chosen = wanted(only, stage_names()) if only else None
    if not (asked.is_anything or chosen):
        with _remembered():
            run_and_show(width, save, workers)
        return
    with exclusive():
        plan = make_plan(asked)
        _show_found(plan)
        _require_preset(plan)
        profiles.write(plan.changed)
        _show_changes(plan, "params.yaml:")
    nodes = read_stages() if chosen or plan.found else ()
    if chosen:
        chosen = with_upstream(chosen, {node.name: node.upstream for node in nodes})
    expected = None
    if plan.found:
        fresh = up_to_date(nodes)
        names = [node.name for node in nodes if node.name not in fresh and (not chosen or node.name in chosen)]
        _show_plan(plan, names)
        expected = duration.expect(names, work_of(plan.changed.values, plan.found)).stages
    with _remembered():
        run_and_show(width, save, workers, chosen, expected)


@contextmanager
def _remembered() -> Iterator[None]:
    """Keep how long the stages of a run took, however it ends, for the next plan."""
    before = read_record()
    try:
        yield
    finally:
        record = read_record()
        is_new = record is not None and (before is None or record.started != before.started)
        # A project with other stages than these has no plan.
        if record and is_new and PARAMS.is_file() and (values := profiles.current()).keys() >= PLANNED:
            duration.remember(record.stages, work_of(values, None))


def look_and_plan(asked: Asked, only: Sequence[str]) -> None:
    """Say what is there and what a run would do; nothing is written.

    Raises:
        FlowError: as `plan_and_run`, as far as that is known without running.
    """
    require_project()
    silence_bars()
    chosen = wanted(only, stage_names()) if only else None
    plan = make_plan(asked)
    _show_found(plan)
    _show_changes(plan, "params.yaml would change:")
    nodes = read_stages() if chosen or not plan.changed.changes else ()
    names = [node.name for node in nodes] or stage_names()
    if chosen:
        names = with_upstream(chosen, {node.name: node.upstream for node in nodes})
    # What new parameters leave up to date, only DVC knows, and only once they are written.
    fresh = up_to_date(nodes) if not plan.changed.changes else frozenset()
    _show_plan(plan, [name for name in names if name not in fresh])
    _require_preset(plan)


def _show_found(plan: Plan) -> None:
    if plan.found and plan.found.images:
        _print(words.found(plan.title, plan.found.images, str(plan.changed.values.get("split.order"))))


def _show_changes(plan: Plan, title: str) -> None:
    if plan.changed.changes:
        _print([title, *(f"  {line}" for line in plan.changed.changes)])
    if plan.kept:
        _print(["kept as it was set:", *(f"  {line}" for line in plan.kept)])


def _show_plan(plan: Plan, stages: Sequence[str]) -> None:
    assert plan.found, "there is no plan to show without a look"
    work = work_of(plan.changed.values, plan.found)
    _print(["plan:", *words.plan(plan.found, work, stages, duration.expect(stages, work))])
    if plan.found.images:
        _print(words.cautions(plan.found.images, work))


def _require_preset(plan: Plan) -> None:
    if plan.found and plan.found.no_preset:
        raise FlowError(plan.found.no_preset)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        say(visible(line))


def run_and_show(
    width: int | None,
    save: bool,
    workers: str | None = None,
    only: Sequence[str] | None = None,
    expected: Mapping[str, float] | None = None,
) -> None:
    """Run the flow, and show the outcome of every stage and the figures of every model.

    Args:
        save: keep the run as a commit on the run branch of the branch that is checked out.
        width: of `flows.run.pipeline`.
        workers: likewise.
        only: likewise.
        expected: seconds of stages, where more is known than how long they took last time.

    Raises:
        FlowError: a stage failed, or the run could not start.
    """
    started = time.monotonic()
    with shown(expected):
        # Not before there is something to see: to import them takes seconds.
        from flows.cli import tables
        from flows.registry import run_record, run_report, saved_runs
        from flows.run.pipeline import run_pipeline
        from flows.run.results import RUN_REPORT, headline_and_verdict, read_results

        # Before the work: what cannot be saved shall not be found out after it.
        workspace = saved_runs.Workspace.here() if save else None
        results = run_pipeline(width, workers, only)
    say(outcomes(results, time.monotonic() - started, idle_among(stage_names())))
    found, older = read_results(done(results))
    tables.show_models(found)
    if older:
        print("results of earlier runs are still here and not shown; `smallset status` says whose they are")
    if found.report:
        if found.report == RUN_REPORT:
            run_report.write()
        print(visible(f"report: {found.report.resolve()}"))
    if workspace:
        # Nobody else's run comes between.
        with exclusive():
            saved = run_record.save(run_record.compose(workspace, results), workspace)
        print(visible(f"saved: {saved.name} on branch {workspace.runs}, commit {saved.commit[:8]}"))
    if failed := [result for result in results if result.outcome is Outcome.FAILED]:
        raise _failure(failed)
    if line := headline_and_verdict(found.summary):
        say(line)
    if run_record.CLASSIFIER.name in done(results) and run_record.CLASSIFIER.is_dir():
        print("try it: smallset predict IMAGE, or a folder of them")


def outcomes(results: Sequence[StageResult], seconds: float, idle: Collection[str] = ()) -> str:
    """What became of the stages, and in how many seconds, in one line, with the names of those that were not run.

    Args:
        idle: stages that only write that they are turned off.
    """
    worked = [result for result in results if result.outcome is not Outcome.RAN or result.name not in idle]
    parts = []
    for outcome in (Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE, Outcome.FAILED, Outcome.STOPPED):
        if number := sum(result.outcome is outcome for result in worked):
            parts.append(f"{number} {outcome}")
    if number := len(results) - len(worked):
        parts.append(f"{number} had nothing to do")
    waiting = [result.name for result in results if result.outcome is Outcome.NOT_RUN]
    if waiting:
        parts.append(f"{len(waiting)} not run, since a stage before failed: {', '.join(waiting)}")
    return visible(f"{counted(len(results), 'stage')} in {in_words(seconds)}: {', '.join(parts)}")


def _failure(failed: Sequence[StageResult]) -> FlowError:
    more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
    error = FlowError(f"{failed[0].name}: {failed[0].reason}{more}")
    error.hint = f"`smallset log {failed[0].name}` shows its whole output; `smallset run` goes on where it stopped"
    return error

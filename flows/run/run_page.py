"""The report together with the run that made it: report.html itself is a function of its inputs and knows no time."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.errors import FlowError
from flows.execution.machine import describe_machine, versions
from flows.execution.process_output import Outcome
from flows.project.divided import images_of_subsets
from flows.project.whole_file import write_whole
from flows.run.change import Earlier, change
from flows.run.page_slots import duration, filled
from flows.run.provenance import RunRecord, commit_and_changes, now, read_record, remade_since
from flows.run.results import REPORT, RUN_REPORT, read_summary

# Where the stage `report` leaves a place for the run; tests/test_contract.py holds its template to this.
SLOT = '<div id="run"></div>'
_NOT_DONE = frozenset({Outcome.FAILED, Outcome.STOPPED, Outcome.NOT_RUN})
_MOST = 6  # changed files named
_TEMPLATES = Path(__file__).with_name("templates")


def write_page(output: Path = RUN_REPORT, at_work: bool = False, earlier: Earlier | None = None) -> None:
    """Write a copy of the report that says which run made it, when, where, and how long each stage took.

    Args:
        output: the file.
        at_work: whether another run is at work here now: dvc.lock is not to be read then, and the page says so.
        earlier: a run that the page looks back to.

    Raises:
        FlowError: there is no report, or it is one by an earlier Smallset.
    """
    if not REPORT.is_file():
        raise FlowError(f"{REPORT}: not found; run `smallset run` first")
    page = REPORT.read_text(encoding="utf-8")
    if SLOT not in page:
        raise FlowError(
            f"{REPORT}: expected a place for the run, found none: made by an earlier Smallset, run it again"
        )
    if output.resolve() == REPORT.resolve():
        raise FlowError(f"--output: {REPORT} is DVC's own: expected another file")
    filled_page = _filled(page, at_work, earlier)
    try:
        write_whole(output, filled_page)
    except OSError as error:
        raise FlowError(f"--output: {output} cannot be written: {error.strerror}") from None


def renew_page(is_first: bool = False) -> None:
    """Write the page of the run just recorded, or take away that of an earlier one where there is no report for it.

    Args:
        is_first: the page that is there is the first one of this run, and stays where there is no report.
    """
    if REPORT.is_file() and SLOT in REPORT.read_text(encoding="utf-8"):
        write_page()
    elif not is_first:
        RUN_REPORT.unlink(missing_ok=True)


def _filled(page: str, at_work: bool, earlier: Earlier | None) -> str:
    record = read_record()
    remade = remade_since(record) if record and not at_work else frozenset()
    page = filled(page, record, remade, _change(earlier))
    return page.replace(SLOT, _fragment(record, at_work, remade), 1)


def _change(earlier: Earlier | None) -> str:
    """What has changed since an earlier run, as HTML; empty where there is nothing to tell."""
    found = change(earlier, read_summary(), sum(images_of_subsets().values())) if earlier else None
    return _environment().get_template("change.html").render(change=found) if found else ""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": duration, "time": _time, "versions": _versions}
    return environment


def _fragment(record: RunRecord | None, at_work: bool, remade: frozenset[str]) -> str:
    content: dict[str, Any] = {"record": record, "most": _MOST, "not_done": _NOT_DONE, "at_work": at_work}
    if record is None:
        commit, changed = commit_and_changes()
        here = {"commit": commit, "changed": changed, "machine": describe_machine(), "packages": versions()}
        content |= here | {"written": _time(now())}
    else:
        unfinished = [stage for stage in record.stages if stage.outcome in _NOT_DONE]
        content |= {
            "unfinished": [f"{stage.name} {stage.outcome}" for stage in unfinished],
            "report_is_older": any(stage.name == "report" for stage in unfinished),
            "report_made": next((stage.ended for stage in unfinished if stage.name == "report"), None),
            "remade": sorted(remade),
        }
    return _environment().get_template("run.html").render(content)


def _time(moment: str) -> str:
    return moment.removesuffix("+00:00").replace("T", " ")


def _versions(packages: dict[str, str]) -> list[str]:
    return [f"{name} {version}" for name, version in packages.items()]

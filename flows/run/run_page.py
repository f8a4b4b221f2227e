"""The report together with the run that made it: report.html itself is a function of its inputs and knows no time."""

import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.errors import FlowError
from flows.execution.machine import describe_machine, versions
from flows.execution.process_output import Outcome
from flows.run.provenance import RunRecord, commit_and_changes, now, read_record, remade_since
from flows.run.results import REPORT, RUN_REPORT

# Where the stage `report` leaves a place for the run; tests/test_contract.py holds its template to this.
SLOT = '<div id="run"></div>'
_NOT_DONE = frozenset({Outcome.FAILED, Outcome.STOPPED, Outcome.NOT_RUN})
_MOST = 6  # changed files named
_TEMPLATES = Path(__file__).with_name("templates")


def write_page(output: Path = RUN_REPORT, at_work: bool = False) -> None:
    """Write a copy of the report that says which run made it, when, where, and how long each stage took.

    Args:
        at_work: whether another run is at work here now: dvc.lock is not to be read then, and the page says so.

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
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page.replace(SLOT, _fragment(read_record(), at_work), 1), encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise FlowError(f"--output: {output} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def renew_page() -> None:
    """Write the page of the run just recorded, or take away that of an earlier one where there is no report for it."""
    if REPORT.is_file() and SLOT in REPORT.read_text(encoding="utf-8"):
        write_page()
    else:
        RUN_REPORT.unlink(missing_ok=True)


def _fragment(record: RunRecord | None, at_work: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": _duration, "time": _time, "versions": _versions}
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
            "remade": [] if at_work else sorted(remade_since(record)),
        }
    return environment.get_template("run.html").render(content)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _time(moment: str) -> str:
    return moment.removesuffix("+00:00").replace("T", " ")


def _versions(packages: dict[str, str]) -> list[str]:
    return [f"{name} {version}" for name, version in packages.items()]

"""The page of the run, which says what has changed since the last saved one."""

from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.dvc_lock import LOCK
from flows.project.git import content
from flows.project.outputs import checksum_of
from flows.project.workspace import AtWork, exclusive
from flows.registry import saved_runs
from flows.registry.run_record import ARCHIVE
from flows.run.change import Earlier
from flows.run.results import RUN_REPORT
from flows.run.run_page import write_page

_LOOKED_AT = 20  # saved runs, the latest first


def write(output: Path = RUN_REPORT) -> None:
    """Write the page of the last run.

    Raises:
        FlowError: as `write_page`.
    """
    try:
        with exclusive():
            write_page(output, earlier=last_other())
    except AtWork:
        write_page(output, at_work=True)


def last_other() -> Earlier | None:
    """The last saved run with other results than those that lie here; None where there is none."""
    try:
        found = saved_runs.versions(saved_runs.Workspace.here(), most=_LOOKED_AT)
        here = LOCK.read_text(encoding="utf-8").rstrip("\n") if LOCK.is_file() else ""
        return next((_earlier(one) for one in found if _has_figures(one.record) and _lock(one) != here), None)
    except FlowError:
        # Without git, or with a record that cannot be read, which `smallset history` tells: the page goes without.
        return None


def _has_figures(record: dict[str, Any]) -> bool:
    return record.get("outcome") != "failed" and bool(record.get("summary"))


def _lock(one: saved_runs.Version) -> str | None:
    return content(one.commit, str(LOCK))


def _earlier(one: saved_runs.Version) -> Earlier:
    data = one.record.get("data") or {}
    images, archive = sum((data.get("images") or {}).values()), data.get("archive")
    started = (one.record.get("run") or {}).get("started", "")
    same = archive == checksum_of(ARCHIVE.as_posix()) if archive else None
    return Earlier(one.name, started, one.record["summary"], images or None, same)

"""`smallset compare`: the results of two revisions, fetched and handed to the statistics."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import FlowError
from flows.project.revisions import WORKSPACE, commit_of, fetch_results
from flows.project.staleness import describe, snapshot
from flows.registry.branch_point import find_branch_point
from flows.run.origin import notice


def compare(revision: str, other: str | None, form: str) -> int:
    """Compare the models of a revision with those of another, or of the workspace; show it as text, markdown or json.

    Returns:
        The exit code: 1 where the two cannot be compared.

    Raises:
        FlowError: no such revision, or its predictions are not to be had.
    """
    return _compare(revision, revision, other, form)


def compare_with_base(base: str, form: str) -> int:
    """Compare the models of the workspace with those that were really there where this branch left another one.

    Raises:
        NoResults: that commit has no results of its own. FlowError: as `compare`.
    """
    point = find_branch_point(base)
    return _compare(point.revision, point.name, None, form)


def show_branch_point(base: str) -> None:
    """Print the revision with the results of the branch point, for `dvc metrics diff` and the like.

    Raises:
        NoResults, FlowError: as `compare_with_base`.
    """
    point = find_branch_point(base)
    print(point.revision)
    print(point.name, file=sys.stderr)


def _compare(revision: str, name: str, other: str | None, form: str) -> int:
    with TemporaryDirectory(prefix="smallset-") as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        fetch_results(revision, before)
        fetch_results(other, after)
        names = ["--before-name", name, "--after-name", other or WORKSPACE]
        paths = ["--before", str(before), "--after", str(after)]
        stale = [line for line in (_stale(revision, name), _stale(other, other)) if line]
        cautions = [word for line in stale for word in ("--stale", line)]
        return subprocess.call([sys.executable, "-m", "stages.compare", *paths, *names, *cautions, "--format", form])


def _stale(revision: str | None, name: str | None) -> str:
    """Why the results of a revision are not those of what else is in it; empty where they are."""
    if revision is None:
        line = notice("evaluation")
        return f"{WORKSPACE}: {line}" if line else ""
    try:
        with snapshot(commit_of(revision)) as files:
            why = describe(files.stale())
    except FlowError as error:
        return f"{name}: nobody can tell whether its results are of what is there: {error}"
    return f"{name}: its results are of an earlier state than what is there: {why}" if why else ""

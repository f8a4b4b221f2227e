"""`smallset compare`: the results of two revisions, fetched and handed to the statistics."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.project.revisions import WORKSPACE, fetch_results
from flows.run.origin import notice


def compare(revision: str, other: str | None, form: str) -> int:
    """Compare the models of a revision with those of another, or of the workspace; show it as text, markdown or json.

    Returns:
        The exit code: 1 where the two cannot be compared.

    Raises:
        FlowError: no such revision, or its predictions are not to be had.
    """
    if other is None and (line := notice("evaluation")):
        print(f"{WORKSPACE}: {line}", file=sys.stderr)
    with TemporaryDirectory(prefix="smallset-") as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        fetch_results(revision, before)
        fetch_results(other, after)
        names = ["--before-name", revision, "--after-name", other or WORKSPACE]
        paths = ["--before", str(before), "--after", str(after)]
        return subprocess.call([sys.executable, "-m", "stages.compare", *paths, *names, "--format", form])

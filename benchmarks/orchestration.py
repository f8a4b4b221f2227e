"""The flow beside its bare stages, and what a run costs that has nothing to do.

    python -m benchmarks.orchestration

Clones the commit that is checked out twice. In one clone `smallset run` runs everything, in the other every command of
dvc.yaml runs by itself, in the same order; then both `smallset run` and `dvc repro` find everything up to date. Prefect
has made its database before, as it does once on a machine. "ratio" is that to the bare commands; "processor" is the
same of the processors' time, which other work disturbs less.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import typer

from benchmarks import tables

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
RUN = [sys.executable, "-m", "flows.cli", "run"]
REPRO = [sys.executable, "-m", "dvc", "repro"]


class Clone:
    """A fresh clone with an environment of its own: no cache of DVC and no state of Prefect but its own."""

    def __init__(self, folder: Path) -> None:
        """Clone the repository of the working directory."""
        subprocess.run(["git", "clone", "--quiet", str(Path.cwd()), str(folder)], check=True)
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "DVC_SITE_CACHE_DIR": f"{folder}.site", "PREFECT_HOME": f"{folder}.prefect"}
        self.environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | own

    def run(self, command: Sequence[str] | str) -> str:
        """What a command prints; ends the benchmark where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            shell=isinstance(command, str),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"error: {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def commands(self) -> list[str]:
        """The command of every stage, in order."""
        printed = self.run([*REPRO, "--dry", "--force"])
        return re.findall(r"^> (.*)$", printed, flags=re.MULTILINE)


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of all processors, of the processes that the work starts and waits for."""
    before, start = psutil.Process().cpu_times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - start, psutil.Process().cpu_times()
    return seconds, sum(after[2:4]) - sum(before[2:4])


@app.command()
def main(
    turns: Annotated[int, typer.Option(min=1, help="Runs that have nothing to do.")] = 3,
    keep: Annotated[Path | None, typer.Option(help="An empty folder that keeps both clones.")] = None,
) -> None:
    """Measure the whole pipeline once each way, and then what has nothing to do."""
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(keep) as folder:
        flow, bare = Clone(Path(folder, "flow")), Clone(Path(folder, "bare"))
        commands = bare.commands()
        rows = {f"{len(commands)} bare commands": measured(lambda: [bare.run(command) for command in commands])}
        flow.run([sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"])
        rows["smallset run"] = measured(lambda: flow.run(RUN))
        idle = {
            f"{name}, up to date": [measured(partial(flow.run, command)) for _ in range(turns)]
            for name, command in (("smallset run", RUN), ("dvc repro", REPRO))
        }
        rows |= {
            name: (median(one[0] for one in times), median(one[1] for one in times)) for name, times in idle.items()
        }
    first = next(iter(rows.values()))
    tables.show(
        ["", "seconds", "ratio", "processor"],
        [
            (name, f"{seconds:.1f}", f"{seconds / first[0]:.3f}", f"{processor / first[1]:.3f}")
            for name, (seconds, processor) in rows.items()
        ],
    )


if __name__ == "__main__":
    app()

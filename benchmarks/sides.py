"""The same work done in several ways: each way in a process of its own, one turn after the other."""

import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import psutil
import typer

from benchmarks import tables
from stages.lib.networks.startup import start_tensorflow

# Of ru_maxrss.
_UNIT = 1 if sys.platform == "darwin" else 1024


class Side(Protocol):
    """One way of doing the work, ready to start."""

    def turn(self) -> dict[str, float]:
        """Do it once; give the seconds of each of its parts."""

    def about(self) -> dict[str, Any]:
        """What else there is to say, after all turns."""


@dataclass
class Result:
    """All turns of one side.

    seconds: of each part, one per turn. processor: seconds of all processors, one per turn. peak: bytes.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    processor: list[float] = field(default_factory=list)
    peak: int = 0
    about: dict[str, Any] = field(default_factory=dict)

    def total(self) -> list[float]:
        """Seconds of each turn."""
        return [sum(parts) for parts in zip(*self.seconds.values(), strict=True)]


def measure(
    sides: Mapping[str, Callable[[], Side]], turns: int, start: Callable[[], None] = start_tensorflow
) -> dict[str, Result]:
    """Let every side do its work in turns, after one turn each that is not counted.

    Args:
        sides: name -> what makes the side ready, in its own process: a function of a module, or a partial of one.
        start: is called first in each process.
    """
    # One after the other, so that getting ready disturbs nobody.
    workers = {name: _Worker(name, start, make) for name, make in sides.items()}
    results = {name: Result() for name in sides}
    for number in range(turns + 1):
        for name, worker in workers.items():
            seconds, processor = worker.ask("turn")
            if number:
                for part, value in seconds.items():
                    results[name].seconds.setdefault(part, []).append(value)
                results[name].processor.append(processor)
    for name, worker in workers.items():
        results[name].peak, results[name].about = worker.ask("end")
    return results


class _Worker:
    """The process of a side."""

    def __init__(self, name: str, start: Callable[[], None], make: Callable[[], Side]) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_work, args=(start, make, other), daemon=True)
        self.process.start()
        other.close()
        self._answer()

    def ask(self, what: str) -> Any:
        """The answer to "turn" or "end"."""
        self.pipe.send(what)
        return self._answer()

    def _answer(self) -> Any:
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            sys.exit(f"error: {self.name}: its process ended with exit code {self.process.exitcode}")


def _work(start: Callable[[], None], make: Callable[[], Side], pipe: Connection) -> None:
    # What is printed to stdout is the result.
    sys.stdout = sys.stderr
    start()
    side = make()
    pipe.send("ready")
    while pipe.recv() == "turn":
        before = time.process_time()
        seconds = side.turn()
        pipe.send((seconds, time.process_time() - before))
    # Before anything else is measured, which may need memory of its own.
    peak = _peak()
    pipe.send((peak, side.about()))


def _peak() -> int:
    """The largest memory of this process, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def some(dataset: Path, counts: Mapping[str, int]) -> dict[str, list[Path]]:
    """So many images of each subset of <subset>/<class>/<file>, as many of each class, by folder; or all there are."""
    files = {}
    for subset, count in counts.items():
        classes = sorted(path for path in (dataset / subset).glob("*") if path.is_dir())
        if not classes:
            raise typer.BadParameter(f"{dataset / subset}: expected a folder a class, as the stage `split` writes them")
        for folder in classes:
            files[f"{subset}/{folder.name}"] = sorted(folder.iterdir())[: count // len(classes)]
    return files


def counted(files: Mapping[str, list[Path]]) -> dict[str, int]:
    """How many images of each subset `some` has found: less than it was asked for, where there are no more."""
    found: dict[str, int] = {}
    for name, paths in files.items():
        subset = name.partition("/")[0]
        found[subset] = found.get(subset, 0) + len(paths)
    return found


@contextmanager
def links(files: Mapping[str, list[Path]]) -> Iterator[Path]:
    """A temporary folder with links to files, by folder, for what reads whole folders."""
    with tempfile.TemporaryDirectory() as folder:
        for name, paths in files.items():
            (Path(folder) / name).mkdir(parents=True)
            for path in paths:
                (Path(folder) / name / path.name).symlink_to(path.resolve())
        yield Path(folder)


def show(title: str, results: Mapping[str, Result], images: Mapping[str, int], as_json: bool) -> None:
    """Print a table, or JSON; ratios are to the first side, turn by turn.

    Args:
        images: of each part that is shown as images a second.
    """
    if as_json:
        print(json.dumps({"title": title, "sides": {name: asdict(one) for name, one in results.items()}}))
        return
    first = next(iter(results.values()))
    parts = [part for part in first.seconds if part in images]
    columns = ["", *(f"{part}, images/s" for part in parts), "turn, s", "ratio", "processor", "peak, GB", ""]
    rows = []
    for name, one in results.items():
        rates = [_spread([images[part] / value for value in one.seconds[part]], 1) for part in parts]
        ratio = [mine / its for mine, its in zip(first.total(), one.total(), strict=True)]
        processor = median(first.processor) / median(one.processor)
        about = ", ".join(f"{key} {value}" for key, value in one.about.items())
        compared = _spread(ratio, 2) if one is not first else "1"
        peak = f"{one.peak / 1e9:.2f}"
        rows.append((name, *rates, _spread(one.total(), 2), compared, f"{processor:.2f}", peak, about))
    tables.show(columns, rows, title, width=150)


def _spread(values: list[float], digits: int) -> str:
    """Median, and the lowest and highest value."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"

"""What it costs that `split` decodes a stranger's images in processes with limits.

    python -m benchmarks.safe_decoding dogs-vs-cats-5000.zip --repeats 5

Beside the plain way, threads of one process without limits on memory, time and crashes. Every run is a process of its
own, so that starting the others counts; the ways take turns. "peak" is the largest memory of the process and all it
started, as in `benchmarks.scale`. Both must describe every image alike.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Annotated

import typer

from benchmarks import tables
from benchmarks.options import Archive
from benchmarks.scale import Cost, measured
from stages.lib.decoding.described import describe
from stages.lib.images.decode import DECODING_THREADS
from stages.lib.inventory.contents import take_inventory

WAYS = {"plain": "threads of one process", "guarded": "processes with limits"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def plain(archive: Path) -> list[tuple[object, ...]]:
    """Describe every image in threads, in the order of their names."""
    with zipfile.ZipFile(archive) as opened, ThreadPoolExecutor(DECODING_THREADS) as pool:
        names, one_at_a_time = sorted(name for name in opened.namelist() if not name.endswith("/")), Lock()

        def read(name: str) -> tuple[object, ...]:
            with one_at_a_time:
                content = opened.read(name)
            found = describe(content)
            return found.sha256, found.width, found.height, found.brightness, found.sharpness, found.thumbnail.tobytes()

        return list(pool.map(read, names))


def guarded(archive: Path) -> list[tuple[object, ...]]:
    """The same in processes, as `split` does."""
    return [
        (one.sha256, one.width, one.height, one.brightness, one.sharpness, one.thumbnail.tobytes())
        for one in take_inventory(archive)[0]
    ]


def once(way: str, archive: Path) -> None:
    """One run; prints a checksum of what it found, and the processor time of all processes."""
    found = plain(archive) if way == "plain" else guarded(archive)
    seconds = os.times()
    print(hashlib.sha256(repr(found).encode()).hexdigest()[:16], len(found), sum(seconds[:4]))


@app.command()
def main(
    archive: Archive,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each way; the median counts.")] = 5,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure both ways in turns."""
    if way is not None:
        once(way, archive)
        return
    costs: dict[str, list[Cost]] = {name: [] for name in WAYS}
    processor: dict[str, list[float]] = {name: [] for name in WAYS}
    checksums, count = set(), "0"
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for name in WAYS:
                command = [sys.executable, "-m", "benchmarks.safe_decoding", str(archive.resolve()), "--way", name]
                os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
                costs[name].append(measured(command, Path(folder)))
                checksum, count, seconds = Path(folder, "output.log").read_text().splitlines()[-1].split()
                checksums.add(checksum)
                processor[name].append(float(seconds))
                time.sleep(1)
    tables.show(
        [f"{count} images", "wall, s", "processor, s", "images/s", "peak, GB"],
        [
            (
                title,
                f"{statistics.median(cost.seconds for cost in costs[name]):.1f}",
                f"{statistics.median(processor[name]):.1f}",
                f"{int(count) / statistics.median(cost.seconds for cost in costs[name]):,.0f}",
                f"{max(cost.peak for cost in costs[name]) / 1e9:.2f}",
            )
            for name, title in WAYS.items()
        ],
    )
    print(f"described alike: {'yes' if len(checksums) == 1 else 'NO'}")


if __name__ == "__main__":
    app()

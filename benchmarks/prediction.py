"""What `smallset predict` costs: one image from the shell, bytes installed, images a second, memory.

    python -m benchmarks.prediction dogs-vs-cats-5000.zip models/classifier
    python -m benchmarks.prediction dogs-vs-cats-5000.zip models/classifier --only start --json

The bundle's `model.keras` is the plain way beside it: the same images, read alike, in a loop of Keras's `predict`. Ways
take turns, so that what else the machine does meets all of them. "installed" makes an environment with `pip install .`,
for which it needs PyPI.
"""

import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

import smallset
from benchmarks import tables
from benchmarks.options import Archive, Bundle, Json, mistakes_in_one_line, require_one_of
from benchmarks.parity import last_images
from benchmarks.scale import measured

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("start", "installed", "speed", "memory")
_KERAS_BATCH = 32  # of a loop of `predict`, its default

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def commands_of(bundle: Path) -> dict[str, list[str]]:
    """The command, without the images, and the same by Keras."""
    model = ["--model", str(bundle.resolve())]
    start = "from flows.cli.start import main; main()"  # the program that is installed as `smallset`
    return {
        "smallset predict": [sys.executable, "-P", "-c", start, "predict", *model],
        "by Keras": [sys.executable, "-P", "-m", "stages.predict", *model],
    }


def start(bundle: Path, folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Seconds of one image from the shell, of the clock and of the processors."""
    image = next(iter(sorted(folder.iterdir())))
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands_of(bundle)}
    for _ in range(repeats):
        for name, command in commands_of(bundle).items():
            clock, before = time.perf_counter(), os.times()
            subprocess.run([*command, image], check=True, capture_output=True)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            seconds[name].append((time.perf_counter() - clock, spent))
    return [
        {
            "way": name,
            "median": statistics.median(clock for clock, _ in pairs),
            "lowest": min(clock for clock, _ in pairs),
            "processors": statistics.median(spent for _, spent in pairs),
        }
        for name, pairs in seconds.items()
    ]


def installed(folder: Path) -> list[dict[str, Any]]:
    """Bytes of the packages that `pip install .` brings, beside those of the environment that this runs in."""
    subprocess.run([sys.executable, "-m", "venv", folder / "bare"], check=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "bare")}))
    before = _bytes_in(place)
    pip = [str(folder / "bare" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    source = folder / "source"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", source], check=True)
    subprocess.run([*pip, str(source)], check=True)
    here = Path(sysconfig.get_path("purelib"))
    return [
        {"way": "pip install .", "bytes": _bytes_in(place) - before},
        {"way": "the pipeline, as make installs it", "bytes": _bytes_in(here)},
    ]


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")


def speed(bundle: Path, folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Images a second of the whole command, of the package, of the model alone, and of a loop of Keras."""
    files = sorted(folder.iterdir())
    classifier = smallset.load(bundle)
    pixels = np.stack([classifier.read(file) for file in files[:256]])
    table = folder.parent / "table.csv"

    def command() -> None:
        words = commands_of(bundle)["smallset predict"]
        subprocess.run([*words, folder, "--csv", table], check=True, capture_output=True)

    def package() -> None:
        for _ in smallset.load(bundle).stream(files):
            pass

    def bare() -> None:
        for first in range(0, len(files), 16):
            classifier.probabilities(pixels[first % 256 : first % 256 + 16])

    ways: dict[str, Callable[[], None]] = {
        "smallset predict, its start included": command,
        "smallset.load(...).stream": package,
        "LiteRT alone, pixels in memory": bare,
        "a loop of Keras predict": _keras_loop(bundle, files),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            clock = time.perf_counter()
            way()
            rates[name].append(len(files) / (time.perf_counter() - clock))
    return [
        {"way": name, "images a second": statistics.median(found), "highest": max(found)}
        for name, found in rates.items()
    ]


def _keras_loop(bundle: Path, files: list[Path]) -> Callable[[], None]:
    """As people write it: a batch is read, then `predict` is called."""
    from stages.lib.networks.startup import start_tensorflow

    start_tensorflow()
    from stages.lib.images.decode import stream
    from stages.lib.networks.saved_model import input_of, load, resizing_of

    file = bundle / "model.keras"
    model, _ = load(file)
    size, color = input_of(model)

    def loop() -> None:
        for batch in stream(files, size, color, _KERAS_BATCH, resizing=resizing_of(file)):
            model.predict(batch, verbose=0)

    return loop


def memory(bundle: Path, folder: Path, counts: list[int]) -> list[dict[str, Any]]:
    """Peak memory of the command and its processes, of numbers of images that repeat themselves."""
    files, rows = sorted(folder.iterdir()), []
    for count in counts:
        paths = folder.parent / "paths.csv"
        paths.write_text("path\n" + "".join(f"{files[number % len(files)]}\n" for number in range(count)))
        table = folder.parent / "table.parquet"
        words = [*commands_of(bundle)["smallset predict"], str(paths), "--output", str(table)]
        cost = measured(words, folder.parent)
        rows.append({"images": count, "peak, MB": cost.peak / 1e6, "images a second": count / cost.seconds})
    return rows


@app.command(help=__doc__)
@mistakes_in_one_line()
def main(
    archive: Archive,
    bundle: Bundle,
    only: Annotated[str, typer.Option(help=f"One of {', '.join(PARTS)}; all take minutes.")] = "",
    images: Annotated[int, typer.Option(min=2, help="Photographs that are predicted.")] = 2000,
    many: Annotated[int, typer.Option(min=2, help="Images for the peak of memory.")] = 20_000,
    repeats: Annotated[int, typer.Option(min=1, help="Turns of an image from the shell; a third of the others.")] = 10,
    as_json: Json = False,
) -> None:
    require_one_of(only, PARTS)
    os.environ["PYTHONPATH"] = str(ROOT)
    found: dict[str, list[dict[str, Any]]] = {}
    with TemporaryDirectory() as place:
        folder = Path(place) / "photographs"
        folder.mkdir()
        for number, (name, content) in enumerate(last_images(archive, images)):
            (folder / f"{number:05}{PurePosixPath(name).suffix}").write_bytes(content)
        if only in ("", "start"):
            found["start"] = start(bundle, folder, repeats)
        if only in ("", "installed"):
            found["installed"] = installed(Path(place))
        if only in ("", "speed"):
            found["speed"] = speed(bundle, folder, max(1, repeats // 3))
        if only in ("", "memory"):
            found["memory"] = memory(bundle, folder, [many // 10, many])
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, rows in found.items():
        cells = [[_shown(value) for value in row.values()] for row in rows]
        tables.show(list(rows[0]), cells, {"start": "one image from the shell, seconds"}.get(name, name))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    app()

"""How long the stage `cross_validation` takes, from the start of its process, on made-up features.

    python -m benchmarks.cross_validation_time 2x250 100x20 210x10
    python -m benchmarks.cross_validation_time 100x20 --channels 1280 --json

A case is classes x images of each. Features are those of `benchmarks.head_time`, with their mirror images, as the stage
`features` writes them; parameters are those of params.yaml. "processor" is what all cores spent, which Windows does not
say of processes that have ended.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import pandas as pd
import typer

from benchmarks.head_time import made_up
from benchmarks.options import Json
from benchmarks.tables import show
from stages.lib.arrays import feature_files
from stages.lib.images.manifest import SUBSETS, Subset

_ROOT = Path(__file__).resolve().parents[1]
_FOUND = "cross_validation.json"
_COLUMNS = ("classes", "images of each", "seconds", "processor", "repeats", "accuracy", "low", "high")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def write(project: Path, classes: int, each: int, channels: int) -> None:
    """What the stages `split` and `features` would leave: every third image validates or tests."""
    vectors, mirrored, labels = made_up(classes * each, channels, classes, seed=1)
    names = [f"class {number:03}" for number in range(classes)]
    subsets = ["train" if place % 3 == 0 else SUBSETS[place % 3] for place in range(len(labels))]
    table = pd.DataFrame({"class": [names[label] for label in labels], "subset": subsets, "group": "", "sha256": "0"})
    table.insert(0, "path", [f"{row.subset}/{row[1]}/{row.Index}.png" for row in table.itertuples()])
    table.to_csv(project / "manifest.csv", index=False)
    pd.DataFrame(columns=["group", "path", "sha256", "kind", "action"]).to_csv(project / "duplicates.csv", index=False)
    (project / "features").mkdir()
    for subset in SUBSETS:
        own = (table["subset"] == subset).to_numpy()
        paths = table["path"][own].tolist()
        images = Subset([Path(path) for path in paths], paths, ["0"] * len(paths), labels[own], names)
        feature_files.write(project / "features", subset, images, channels, [vectors[own]], [mirrored[own]])
    feature_files.write_about(project / "features", names, "float32")


def measured(classes: int, each: int, channels: int) -> dict[str, Any]:
    """One case."""
    with TemporaryDirectory() as folder:
        project = Path(folder)
        write(project, classes, each, channels)
        (project / "params.yaml").write_bytes((_ROOT / "params.yaml").read_bytes())
        files = {"manifest": "manifest.csv", "duplicates": "duplicates.csv", "features": "features", "figures": _FOUND}
        before, start = _processor(), time.perf_counter()
        options = [word for name, file in files.items() for word in (f"--{name}", file)]
        command = [sys.executable, "-m", "stages.cross_validation", *options]
        environment = os.environ | {"PYTHONPATH": str(_ROOT)}
        subprocess.run(command, cwd=project, env=environment, check=True, stdout=sys.stderr)
        seconds, after = time.perf_counter() - start, _processor()
        found = json.loads((project / _FOUND).read_text())
    spent = None if before is None or after is None else round(after - before, 1)
    figures = (classes, each, round(seconds, 1), spent, found["repeats"], *_interval(found))
    return dict(zip(_COLUMNS, figures, strict=True))


def _processor() -> float | None:
    """Seconds of all cores that processes started here, and ended, have spent; None where they are not counted."""
    if sys.platform == "win32":
        return None
    spent = os.times()
    return spent.children_user + spent.children_system


def _interval(found: dict[str, Any]) -> tuple[float, ...]:
    return tuple(round(found[key], 4) for key in ("value", "low", "high"))


@app.command()
def main(
    cases: Annotated[list[str], typer.Argument(help="Classes x images of each, such as 100x20.")],
    channels: Annotated[int, typer.Option(min=1, help="Of a feature vector.")] = 1280,
    as_json: Json = False,
) -> None:
    """Measure one case after the other."""
    sizes = [re.fullmatch(r"(\d+)x(\d+)", case) for case in cases]
    if not all(size and int(size[1]) > 1 and int(size[2]) > 1 for size in sizes):
        raise typer.BadParameter("expected classes x images of each, two at least, such as 100x20")
    rows = [measured(int(size[1]), int(size[2]), channels) for size in sizes if size]
    if as_json:
        typer.echo(json.dumps({"channels": channels, "rows": rows}))
        return
    show(_COLUMNS, [[str(row[column]) for column in _COLUMNS] for row in rows])


if __name__ == "__main__":
    app()

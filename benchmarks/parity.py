"""A bundle beside its Keras model, from the bytes of real images: how many top classes change, and by how much.

    python -m benchmarks.parity dogs-vs-cats-5000.zip models/classifier --images 2000

The archive holds images, in folders or not; of each of its folders and name stems as many are taken, the last ones by
name. Keras reads as the stages do; the bundle is asked through `smallset.load` and through `smallset predict`.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

import smallset
from benchmarks import tables
from benchmarks.options import Json
from stages.lib.images.set_aside import is_set_aside
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def last_images(archive: Path, count: int) -> list[tuple[str, bytes]]:
    """Name and bytes of `count` images, as many of each class."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/") and not is_set_aside(name)]
        classes: dict[str, list[str]] = {}
        for name in names:
            file = PurePosixPath(name)
            classes.setdefault(file.stem.rpartition(".")[0] or file.parent.name, []).append(name)
        taken = [name for members in classes.values() for name in members[-(count // len(classes)) :]]
        return [(name, opened.read(name)) for name in taken]


def compare(images: list[tuple[str, bytes]], directory: Path) -> dict[str, Any]:
    """Probabilities of both for the same bytes."""
    start_tensorflow(deterministic=True)
    from stages.lib.inference.forward import probabilities
    from stages.lib.networks.saved_model import load, resizing_of

    file = directory / "model.keras"
    model, _ = load(file)
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}{PurePosixPath(name).suffix}" for number, (name, _) in enumerate(images)]
        for path, (_, content) in zip(paths, images, strict=True):
            path.write_bytes(content)
        by_keras = probabilities(model, paths, 64, resizing=resizing_of(file))
        by_command = _by_command(directory, paths, Path(folder))
    found = smallset.load(directory).predict(content for _, content in images)
    by_bundle = np.array([list(one.probabilities.values()) for one in found])
    differences = np.abs(by_keras - by_bundle)
    margins = np.diff(np.sort(by_keras, axis=1)[:, -2:], axis=1)
    return {
        "images": len(images),
        "changed_top_classes": int((by_keras.argmax(axis=1) != by_bundle.argmax(axis=1)).sum()),
        "changed_by_smallset_predict": int((by_keras.argmax(axis=1) != by_command.argmax(axis=1)).sum()),
        "largest_difference": float(differences.max()),
        "largest_difference_of_smallset_predict": float(np.abs(by_keras - by_command).max()),
        "median_difference": float(np.median(differences)),
        "smallest_margin": float(margins.min()),
        "golden_difference": smallset.load(directory).verify(),
    }


def _by_command(directory: Path, paths: list[Path], folder: Path) -> np.ndarray:
    """What `smallset predict` writes for these files: float64 (images, classes)."""
    listed, table = folder / "paths.csv", folder / "table.jsonl"
    listed.write_text("path\n" + "".join(f"{path}\n" for path in paths), encoding="utf-8")
    command = [sys.executable, "-m", "flows.cli", "predict", *map(str, (listed, "--model", directory))]
    subprocess.run([*command, "--output", str(table)], check=True, stderr=subprocess.DEVNULL)
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert [row["path"] for row in rows] == list(map(str, paths))
    return np.array([list(row["probabilities"].values()) for row in rows])


@app.command(help=__doc__)
def main(
    archive: Path,
    bundle: Path,
    images: Annotated[int, typer.Option(min=2, help="Images in all.")] = 2000,
    as_json: Json = False,
) -> None:
    found = compare(last_images(archive, images), bundle)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    rows = [
        [name.replace("_", " "), f"{value:,}" if isinstance(value, int) else f"{value:.2g}"]
        for name, value in found.items()
    ]
    tables.show(["Keras beside the bundle", ""], rows)


if __name__ == "__main__":
    app()

"""A bundle beside its Keras model, from the bytes of real images: how many top classes change, and by how much.

    python -m benchmarks.parity dogs-vs-cats-5000.zip models/classifier --images 2000

The archive holds images, in folders or not; of each of its folders and name stems as many are taken, the last ones by
name. Keras reads and computes as `smallset predict` does, the bundle as `smallset.load` does.
"""

import json
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
    found = smallset.load(directory).predict(content for _, content in images)
    by_bundle = np.array([list(one.probabilities.values()) for one in found])
    differences = np.abs(by_keras - by_bundle)
    margins = np.diff(np.sort(by_keras, axis=1)[:, -2:], axis=1)
    return {
        "images": len(images),
        "changed_top_classes": int((by_keras.argmax(axis=1) != by_bundle.argmax(axis=1)).sum()),
        "largest_difference": float(differences.max()),
        "median_difference": float(np.median(differences)),
        "smallest_margin": float(margins.min()),
        "golden_difference": smallset.load(directory).verify(),
    }


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

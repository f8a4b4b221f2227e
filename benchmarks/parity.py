"""A bundle and exported files beside their Keras model, from the bytes of real images: what changes, and by how much.

    python -m benchmarks.parity dogs-vs-cats-5000.zip models/classifier --images 2000

The archive holds images, in folders or not; of each of its folders and name stems as many are taken, the last ones by
name. Keras reads as the stages do; the bundle is asked through `smallset.load`, `smallset predict` and `smallset
serve`, there by `/predict` and by the Open Inference Protocol; labels and decisions are beside those of
`smallset.load`. Then the model is exported as `smallset export` does it, int8 calibrated on the first images by name,
and each file is tried on the same images; in their accuracies an image counts as wrong whose class, as the archive
names it, is none of the model's.
"""

import json
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

import smallset
from benchmarks import parity_ways as ways
from benchmarks import tables
from benchmarks.options import Archive, Bundle, Json, mistakes_in_one_line
from stages import export as command
from stages.lib.images.set_aside import is_set_aside
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
CALIBRATION = 200  # images for int8


def class_of(name: str) -> str:
    """The class of a member of an archive: before the number in its name, else its folder."""
    file = PurePosixPath(name)
    return file.stem.rpartition(".")[0] or file.parent.name


def last_images(archive: Path, count: int, first: bool = False) -> list[tuple[str, bytes]]:
    """Name and bytes of `count` images, as many of each class, one at least; `first`: those that come first by name."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/") and not is_set_aside(name)]
        classes: dict[str, list[str]] = {}
        for name in names:
            classes.setdefault(class_of(name), []).append(name)
        each = max(1, count // len(classes))
        taken = [name for members in classes.values() for name in (members[:each] if first else members[-each:])]
        return [(name, opened.read(name)) for name in taken]


def compare(images: list[tuple[str, bytes]], directory: Path) -> dict[str, Any]:
    """What every way to ask the bundle says of the same bytes, beside Keras."""
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
        found = {"smallset.load": ways.by_package(directory, paths)}
        found["smallset predict"] = ways.by_command(directory, paths, Path(folder))
        found["smallset serve"], found["Open Inference Protocol"] = ways.by_service(directory, paths)
    return {
        "images": len(images),
        "smallest_margin": float(np.diff(np.sort(by_keras, axis=1)[:, -2:], axis=1).min()),
        "golden_difference": smallset.load(directory).verify(),
        "ways": ways.beside(by_keras, found),
    }


def exported(images: list[tuple[str, bytes]], first: list[tuple[str, bytes]], directory: Path) -> list[dict[str, Any]]:
    """A row per format: what `smallset export` says of it, on these images."""
    from stages.lib.export.asked import FORMATS, Wanted
    from stages.lib.export.exporting import converted, described
    from stages.lib.export.source import Source
    from stages.lib.export.trying import beside_keras
    from stages.lib.images.decode import decode

    about = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    source = Source(directory / "model.keras", about["precision"])
    wanted = Wanted(FORMATS, "plain", margin=0.01, faster=1.5)

    def read(some: list[tuple[str, bytes]]) -> np.ndarray:
        return np.stack([decode(content, source.size, source.color, source.resizing) for _, content in some])

    names = [class_of(name) for name, _ in images]
    labels = np.array([source.classes.index(name) if name in source.classes else -1 for name in names])
    batches = (read(images[start : start + 16]) for start in range(0, len(images), 16))
    with TemporaryDirectory() as folder, TemporaryDirectory() as spare:
        calibration = read(first).astype(np.float32)
        paths, left_out = converted(source.exact, calibration, wanted, "", Path(folder), Path(spare))
        rows = beside_keras(source, paths, batches, labels, wanted)
        for row in rows:
            if row["format"] in paths:
                _, row["bytes"] = described(paths[row["format"]], Path(folder))
    return [*rows, *({"format": name, "left_out": reason} for name, reason in left_out.items())]


@app.command(help=__doc__)
@mistakes_in_one_line()
def main(
    archive: Archive,
    bundle: Bundle,
    images: Annotated[int, typer.Option(min=2, help="Images in all.")] = 2000,
    as_json: Json = False,
) -> None:
    taken = last_images(archive, images)
    found = compare(taken, bundle)
    formats = exported(taken, last_images(archive, CALIBRATION, first=True), bundle)
    if as_json:
        print(json.dumps(found | {"exported": formats}, indent=2))
        return
    rows = [[_cell(value) for value in row.values()] for row in found["ways"]]
    tables.show([name.replace("_", " ") for name in found["ways"][0]], rows)
    for name in ("images", "smallest_margin", "golden_difference"):
        print(f"{name.replace('_', ' ')}: {_cell(found[name])}")
    print()
    tables.show(command.COLUMNS, [command.cells(row) for row in formats if "changed" in row])
    for line in command.verdicts(formats):
        print(line)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2g}"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    app()

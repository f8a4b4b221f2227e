"""A trained model exported: converted, tried beside Keras on every test image, and left only if it gives the same."""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from smallset.inference.classifier import all_classes
from stages.lib.core.errors import UserError
from stages.lib.export import layouts, verifying
from stages.lib.export.formats import FORMATS_BY_NAME, FormatName, convert, with_all_classes
from stages.lib.export.runtimes import Run, load
from stages.lib.images.decode import stream
from stages.lib.images.manifest import Subset
from stages.lib.images.resizing import Resizing
from stages.lib.images.words import counted
from stages.lib.inference.forward import compiled
from stages.lib.networks import saved_model
from stages.lib.networks.precision import rebuilt

_BATCH = 16
_CALIBRATION = 200  # training images; more change no range by much


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        formats: without repetition.
        layout: of the files.
        margin: how much less accurate int8 may be, in shares.
        faster: how many times as fast as float32 int8 has to be.
    """

    formats: tuple[FormatName, ...]
    layout: layouts.Layout
    margin: float
    faster: float


class Source:
    """A trained model as its stage saved it, and as it is exported.

    Attributes:
        trained: in the precision that it was measured in.
        exact: the same in float32, which is what is converted.
        mixed: whether the two differ.
        classes, size, color, resizing: what it takes and gives.
    """

    def __init__(self, file: Path, precision: str) -> None:
        """Load a `model.keras`, which computes in a precision.

        Raises:
            UserError: as of `saved_model.load`.
        """
        model, self.classes = saved_model.load(file)
        self.size, self.color = saved_model.input_of(model)
        self.resizing: Resizing = saved_model.resizing_of(file)
        self.trained = model
        self.mixed = precision != "float32"
        self.exact = rebuilt(model, "float32") if self.mixed else model

    def pixels(self, paths: Sequence[Path]) -> Any:
        """Batches of images, uint8 (images, size, size, channels), read as in training."""
        return stream(paths, self.size, self.color, _BATCH, resizing=self.resizing)


def export(source: Source, train: Subset, test: Subset, wanted: Wanted, model: str, folder: Path) -> dict[str, Any]:
    """Write a model in several formats into an empty folder, and try each of them.

    Args:
        source: the model.
        train: images to calibrate int8 on.
        test: images to try with.
        wanted: formats, layout, and what int8 has to reach.
        model: name of the model.
        folder: empty.

    Returns:
        What `export.json` has: input, output, a row per model in `formats`, and in `left_out` why a format is missing.

    Raises:
        UserError: no format could be made, or one of float32 changes a top class.
    """
    served = layouts.served_name(model)
    calibration = np.concatenate(list(source.pixels(_spread(train.paths, _CALIBRATION)))).astype(np.float32)
    with TemporaryDirectory() as spare:
        paths, left_out = converted(source.exact, calibration, wanted, served, folder, Path(spare))
        if not set(paths) & set(wanted.formats):
            raise UserError("; ".join(f"{name}: {reason}" for name, reason in left_out.items()))
        _tell(f"trying them beside Keras on {counted(len(test.paths), 'test image')}")
        rows = beside_keras(source, paths, source.pixels(test.paths), test.labels, wanted)
        for row in rows:
            if row["format"] in paths:
                row["file"], row["bytes"] = described(paths[row["format"]], folder)
    _require_the_same(rows)
    layouts.complete(folder, wanted.layout, served, source.exact.input_shape[1:], source.classes)
    kept = [row for row in rows if row["format"] not in FORMATS_BY_NAME or row["format"] in wanted.formats]
    return {**_about(source), "test_images": len(test.paths), "formats": kept, "left_out": left_out}


def beside_keras(
    source: Source, paths: Mapping[FormatName, Path], batches: Iterable[np.ndarray], labels: np.ndarray, wanted: Wanted
) -> list[dict[str, Any]]:
    """Try exported files on images.

    Args:
        source: the Keras model, which computes in float32 beside them, and also as it was trained.
        paths: files by format.
        batches: the images, as `Source.pixels` gives them.
        labels: int64 (images,), their classes.
        wanted: what int8 has to reach.

    Returns:
        A row per model: format, the figures of `verifying.Beside`, milliseconds_<images at once>; of int8 also usable
        and why_not.
    """
    runs: dict[str, Run] = {"keras": _by_keras(source.exact, _BATCH)}
    if source.mixed:
        runs["keras_as_trained"] = _by_keras(source.trained, _BATCH)
    runs |= {name: load(name, path) for name, path in paths.items()}
    found = verifying.outputs_of(runs, batches)
    # Keras fills every batch up to the one that it was compiled for, so one of its own for each size.
    timed = {name: run for name, run in runs.items() if name in paths} | {"keras": _any_size(source.exact)}
    times = verifying.milliseconds(timed, np.zeros(source.exact.input_shape[1:], np.float32))
    rows = []
    for name, values in found.items():
        beside = verifying.beside(values, found["keras"], labels)
        each = times.get(name, {})
        row = {"format": name, **asdict(beside)}
        row |= {f"milliseconds_{count}": round(value, 3) for count, value in each.items()}
        if name == "litert_int8":
            reason = verifying.not_usable(beside, each, times["litert"], wanted.margin, wanted.faster)
            row |= {"usable": reason is None, "why_not": reason}
        rows.append(row)
    return rows


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """As many of them, evenly over all: the manifest has the classes one after the other."""
    places = np.unique(np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int))
    return [paths[place] for place in places]


def converted(
    model: keras.Model, calibration: np.ndarray, wanted: Wanted, served: str, folder: Path, spare: Path
) -> tuple[dict[FormatName, Path], dict[str, str]]:
    """Files by format, and why others are missing; int8 brings float32 along, beside which it is timed.

    Args:
        model: computes in float32.
        calibration: float32 (images, height, width, channels) in [0, 255].
        wanted: formats and layout.
        served: name under which a server offers the model.
        folder: of the export.
        spare: for files that were not asked for.
    """
    names = list(wanted.formats)
    if "litert_int8" in names and "litert" not in names:
        names.append("litert")
    paths: dict[FormatName, Path] = {}
    left_out: dict[str, str] = {}
    for name in names:
        asked = name in wanted.formats
        path = layouts.place(folder, wanted.layout, served, name) if asked else spare / FORMATS_BY_NAME[name].file
        start = time.monotonic()
        if reason := convert(name, with_all_classes(model), path, calibration):
            left_out[name] = reason
            continue
        paths[name] = path
        _tell(f"{name}: converted in {time.monotonic() - start:.0f} s")
    if "litert_int8" in paths and "litert" not in paths:
        left_out["litert_int8"] = f"nothing to time it beside: litert: {left_out.pop('litert')}"
        paths.pop("litert_int8").unlink()
    return paths, left_out


def _by_keras(model: keras.Model, batch_size: int) -> Run:
    compute = compiled(model, batch_size)

    def run(images: np.ndarray) -> np.ndarray:
        return all_classes(compute(images))

    return run


def _any_size(model: keras.Model) -> Run:
    sizes: dict[int, Run] = {}

    def run(images: np.ndarray) -> np.ndarray:
        if len(images) not in sizes:
            sizes[len(images)] = _by_keras(model, len(images))
        return sizes[len(images)](images)

    return run


def _require_the_same(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        about = FORMATS_BY_NAME.get(row["format"])
        if about is not None and about.exact and row["changed"]:
            raise UserError(
                f"{row['format']}: expected the top classes of Keras, found another one on {row['changed']:,} of "
                f"{row['images']:,} test images (largest difference {row['largest_difference']:.1g}): nothing is "
                "exported; name the other formats with --format to have those"
            )


def described(path: Path, folder: Path) -> tuple[str | None, int]:
    """Name of a file or directory in the export, None where it lies elsewhere; and its bytes."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else None
    return name, sum(file.stat().st_size for file in files)


def _about(source: Source) -> dict[str, Any]:
    return {
        "classes": source.classes,
        "image_size": source.size,
        "color": source.color,
        **source.resizing.as_dict(),
        "input": {
            "name": "images",
            "dtype": "float32",
            "shape": [None, *source.exact.input_shape[1:]],
            "range": [0, 255],
        },
        "output": {"dtype": "float32", "shape": [None, len(source.classes)], "meaning": "probability of each class"},
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

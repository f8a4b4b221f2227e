"""A trained model exported: converted, tried beside Keras on every test image, and left only if it gives the same."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from safety.words import counted
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import remove
from stages.lib.export import layouts
from stages.lib.export.asked import FormatName, Wanted
from stages.lib.export.formats import FORMATS_BY_NAME, convert, with_all_classes
from stages.lib.export.runtimes import cannot_run
from stages.lib.export.source import Source
from stages.lib.export.trying import beside_keras, require_the_same
from stages.lib.images.manifest import Subset

_CALIBRATION = 200  # training images; more change no range by much


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
    require_the_same(rows)
    layouts.complete(folder, wanted.layout, served, source.exact.input_shape[1:], source.classes)
    kept = [row for row in rows if row["format"] not in FORMATS_BY_NAME or row["format"] in wanted.formats]
    return {**_about(source), "test_images": len(test.paths), "formats": kept, "left_out": left_out}


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
        if reason := convert(name, with_all_classes(model), path, calibration) or cannot_run(name, path, calibration):
            remove(path)
            left_out[name] = reason
            continue
        paths[name] = path
        _tell(f"{name}: converted in {time.monotonic() - start:.0f} s")
    if "litert_int8" in paths and "litert" not in paths:
        left_out["litert_int8"] = f"nothing to time it beside: litert: {left_out.pop('litert')}"
        paths.pop("litert_int8").unlink()
    return paths, left_out


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

"""Exported files tried beside Keras: all of them on the same images, each as its users run it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from stages.lib.core.errors import UserError
from stages.lib.export import verifying
from stages.lib.export.asked import FormatName, Wanted
from stages.lib.export.formats import FORMATS_BY_NAME
from stages.lib.export.runtimes import Run, by_keras, by_keras_at_any_size, load
from stages.lib.export.source import BATCH, Source

_SAME = 0.001  # difference of a probability in float32: rounding made 0.000005


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
    runs: dict[str, Run] = {"keras": by_keras(source.exact, BATCH)}
    if source.mixed:
        runs["keras_as_trained"] = by_keras(source.trained, BATCH)
    runs |= {name: load(name, path) for name, path in paths.items()}
    found = verifying.outputs_of(runs, batches)
    # Keras fills every batch up to the one that it was compiled for, so one of its own for each size.
    timed = {name: run for name, run in runs.items() if name in paths} | {"keras": by_keras_at_any_size(source.exact)}
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


def require_the_same(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an export of which a format in float32 gives another top class than Keras, or another probability.

    Args:
        rows: of `beside_keras`.

    Raises:
        UserError: naming the format, and on how many images.
    """
    for row in rows:
        about, difference = FORMATS_BY_NAME.get(row["format"]), row["largest_difference"]
        if about is not None and about.exact and (row["changed"] or difference > _SAME):
            what = f"another one on {row['changed']:,}" if row["changed"] else "them, and other probabilities on some"
            raise UserError(
                f"{row['format']}: expected the top classes of Keras, found {what} of {row['images']:,} test images "
                f"(largest difference {difference:.1g}, expected at most {_SAME:g}): nothing is exported; name the "
                "other formats with --format to have those"
            )

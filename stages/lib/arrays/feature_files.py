"""The cache of pooled features: what the stage `features` writes and the heads read."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.arrays.rows import Array, joined, open_rows, write_rows
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_file
from stages.lib.core.params import Precision
from stages.lib.images.manifest import SUBSETS, Subset, SubsetName
from stages.lib.images.resizing import STRETCH, Resizing, remembered

_ABOUT = "features.json"


@dataclass(frozen=True)
class FeatureSet:
    """Features of the images of one or more subsets.

    Attributes:
        vectors: float32 (images, channels), in memory or in a file.
        labels: int64 (images,).
        names: paths relative to the dataset.
        mirrored: as `vectors`, of the images mirrored left to right; None where `features.mirror` is off.
    """

    vectors: Array
    labels: np.ndarray
    names: list[str]
    mirrored: Array | None = None


def write(
    directory: Path,
    subset: SubsetName,
    images: Subset,
    channels: int,
    vectors: Iterable[np.ndarray],
    mirrored: Iterable[np.ndarray] | None = None,
) -> None:
    """Write one subset as it comes, batch by batch: `<subset>.npy` and `<subset>.csv` (path, label), in one order.

    Beside them `<subset>_mirrored.npy`, where there is something to write into it.

    Args:
        directory: exists.
        subset: its name.
        images: the images of the subset.
        channels: size of a feature vector.
        vectors: float32 (batch, channels) each, in the order of `images`.
        mirrored: the same of the mirrored images; used after all of `vectors`.
    """
    shape = (len(images.paths), channels)
    write_rows(directory / f"{subset}.npy", shape, np.float32, vectors)
    if mirrored is not None:
        write_rows(directory / _mirrored(subset), shape, np.float32, mirrored)
    rows = pd.DataFrame({"path": images.names, "label": images.labels})
    rows.to_csv(directory / f"{subset}.csv", index=False)


def in_parts(
    directory: Path,
    subset: SubsetName,
    paths: Sequence[Path],
    part: int,
    vectors_of: Callable[[Sequence[Path]], np.ndarray],
) -> Iterator[np.ndarray]:
    """Compute the vectors of `part` images at a time, and keep each part as soon as it is there.

    Args:
        directory: keeps the parts; those that it has already are not computed again.
        subset: its name.
        paths: files of its images.
        part: images per part.
        vectors_of: gives float32 (images, ...) of some images.

    Returns:
        The vectors of one part after the other, float32 (part, ...).
    """
    for start in range(0, len(paths), part):
        file = directory / f"{subset}-{start:09}.npy"
        if not file.is_file():
            vectors = vectors_of(paths[start : start + part])
            with atomic_file(file) as partial:
                write_rows(partial, vectors.shape, np.float32, [vectors])
        yield np.load(file)


def write_about(directory: Path, classes: list[str], precision: Precision, resizing: Resizing = STRETCH) -> None:
    """Write down what shaped the features: the names of the classes, the precision, and how images were resized.

    Args:
        directory: exists.
        classes: their names, in the order of the labels.
        precision: in which the backbone computed.
        resizing: how images got its size.
    """
    about = {"classes": classes, "precision": precision, **resizing.as_dict()}
    (directory / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def read(directory: Path, subset: SubsetName) -> FeatureSet:
    """Open the features of one subset.

    Args:
        directory: of the stage `features`.
        subset: its name.
    """
    rows = pd.read_csv(directory / f"{subset}.csv", dtype={"path": str}, na_filter=False)
    vectors, other = open_rows(directory / f"{subset}.npy"), directory / _mirrored(subset)
    mirrored = open_rows(other) if other.is_file() else None
    return FeatureSet(vectors, rows["label"].to_numpy(np.int64), rows["path"].tolist(), mirrored)


def read_all(directory: Path, wanted: Sequence[SubsetName]) -> FeatureSet:
    """Open the features of several subsets as one, in their order.

    Args:
        directory: of the stage `features`.
        wanted: names of subsets, at least one.

    Returns:
        Without mirrored images where one of the subsets has none: those of the others would be other images' rows.
    """
    sets = [read(directory, subset) for subset in wanted]
    mirrors = [one.mirrored for one in sets if one.mirrored is not None]
    return FeatureSet(
        joined([one.vectors for one in sets]),
        np.concatenate([one.labels for one in sets]),
        [name for one in sets for name in one.names],
        joined(mirrors) if len(mirrors) == len(sets) else None,
    )


def subsets(directory: Path) -> list[SubsetName]:
    """The subsets whose features a directory has; none where it is not there."""
    return [subset for subset in SUBSETS if (directory / f"{subset}.npy").is_file()]


def take_over(source: Path, subset: SubsetName, images: Subset, directory: Path) -> None:
    """Copy the features of one subset.

    Args:
        source: directory that has them.
        subset: its name.
        images: the images of the subset: the very ones that the features are of, in the same order.
        directory: exists.

    Raises:
        UserError: they are of other images.
    """
    read_of(source, subset, images)
    for file in source.glob(f"{subset}*"):
        shutil.copy(file, directory)


def read_of(directory: Path, subset: SubsetName, images: Subset) -> FeatureSet:
    """Read the features of one subset, which have to be those of its images.

    Args:
        directory: that has them.
        subset: its name.
        images: of the subset, in its order.

    Raises:
        UserError: they are of other images.
    """
    found = read(directory, subset)
    if found.names != images.names:
        raise UserError(
            f"{directory}: expected features of the {subset} images as they are now; run `smallset run` again"
        )
    return found


def read_about(directory: Path) -> tuple[list[str], Precision]:
    """The names of the classes, and the precision the features were computed in."""
    about = json.loads((directory / _ABOUT).read_text(encoding="utf-8"))
    return about["classes"], about["precision"]


def read_resizing(directory: Path) -> Resizing:
    """How the images were resized whose features these are."""
    return remembered(json.loads((directory / _ABOUT).read_text(encoding="utf-8")))


def _mirrored(subset: SubsetName) -> str:
    return f"{subset}_mirrored.npy"

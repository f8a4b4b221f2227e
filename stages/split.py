"""From the raw archive to training, validation and test images, and a table of all of them."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from safety.words import counted, first_few
from stages.lib.core import entry
from stages.lib.core.data_sections import SplitParams
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_directory, atomic_file, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.duplicates.copies import as_told, check_copies, copy_table, in_two_subsets
from stages.lib.duplicates.groups import Found, search
from stages.lib.duplicates.series import with_series
from stages.lib.images.manifest import SUBSETS
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.labelling.taken_in import take_in
from stages.lib.splitting.dataset_paths import dataset_paths
from stages.lib.splitting.small_classes import assign_large_classes
from stages.lib.splitting.wishes import UNUSED, Amounts

_SERIES = "near copies: {} series of {} images that change little by little, each kept in one subset"
_APART = (
    "near copies: at least {} in two subsets, as in a series that changes little by little: {}; give all of such a "
    "series one group (split.group), and figures are not too high"
)
_DISPUTED = "near copies of two classes: at least {} in two subsets, so a label of each is likely wrong: {}"
_GROWING = (
    "near copies: {} groups were still growing when the search was ended, as no real images make it: more of their "
    "copies may lie in any subset"
)


def split(
    archive: Path,
    dataset: Path,
    manifest: Path,
    rejected: Path,
    duplicates: Path,
    counts: Path,
    metrics: Path,
    common: CommonParams,
    params: SplitParams,
) -> None:
    """Write the dataset, a table of its images, and tables of what was left out and of copies.

    Args:
        archive: the raw images, from the stage `download`.
        dataset: directory to write: `<subset>/<class>/<file>`.
        manifest: csv to write, a row per image, sorted by path: path (relative to the dataset), class, subset, group
            (empty without), width and height in pixels, bytes, sha256, brightness and sharpness
            (`stages.lib.decoding.quality`).
        rejected: csv to write: path, reason; also what is set aside by its name, has no class or does not fit the rest
            (`stages.lib.inventory.strays`).
        duplicates: csv to write, a row per copy: group, path (in the archive), sha256, class, kind (exact, near,
            mirrored), distance (from the image that stands for the group, as in `stages.lib.duplicates.likeness`),
            action (what became of it).
        counts: json to write: images per subset and class, and how many were left out, by the reason.
        metrics: json to write: images of all subsets together.
        common: section `common` of params.yaml.
        params: section `split` of params.yaml.

    Raises:
        UserError: too many files cannot be decoded, do not fit or are near copies, or fewer than two classes; where
            strays are errors also a class with too few images, and every other stray.
    """
    found = take_in(archive, rejected, params)
    searched = search(found.images, params.near_duplicates)
    # The other orders are somebody's own decision where each image goes.
    images = with_series(found.images, searched) if params.order in ("hash", "shuffle") else found.images
    copies = copy_table(images, searched.groups)
    # Before anything can fail: whoever wonders at what is called a copy needs to see it.
    _write_table(duplicates, copies)
    check_copies(copies, len(images), params.max_near_duplicates, duplicates)
    amounts: Amounts = {subset: getattr(params, subset) for subset in SUBSETS}
    _mention_subsets(images, params.order)
    try:
        assignments = assign_large_classes(
            images, searched.groups, params.order, amounts, common.seed, params.min_per_class, found.strays
        )
    except UserError as error:
        raise UserError(f"{error}{as_told(copies, duplicates)}") from None
    found.list_strays(rejected, params.max_rejected)
    copies["action"] = _actions(copies, assignments)

    paths = _paths(images, assignments)
    _extract(archive, dataset, {images[index].name: path for index, path in paths.items()})
    rows = [_row(images[index], path, assignments[index]) for index, path in paths.items()]
    _write_table(manifest, pd.DataFrame(rows).sort_values("path"))
    _write_table(duplicates, copies)
    found_counts = _counts(images, assignments, copies) | found.counts() | _in_series(images)
    found_counts |= _doubts(images, searched, assignments)
    _mention_others(found_counts, amounts)
    write_json(found_counts, counts)
    write_json({"images": len(rows)}, metrics)
    totals = {name: value if isinstance(value, int) else sum(value.values()) for name, value in found_counts.items()}
    print(", ".join(f"{name} {value}" for name, value in totals.items()))


def _in_series(images: Sequence[ArchiveImage]) -> dict[str, int]:
    """Tell and count the images that the search for copies has put into groups; of most images nothing."""
    series = Counter(image.series for image in images if image.series)
    if not series:
        return {}
    print(_SERIES.format(len(series), series.total()))
    return {"in_series": series.total()}


def _doubts(images: Sequence[ArchiveImage], searched: Found, assignments: Sequence[str]) -> dict[str, int]:
    """Tell and count what the search for copies leaves open; of most images nothing."""
    doubts = {}
    kept = [assignment if assignment in SUBSETS else None for assignment in assignments]
    pairs = in_two_subsets(searched, kept)
    apart = [pair for pair in pairs if len({images[index].label for index in pair}) == 1]
    for key, found, said in (
        ("near_copies_apart", apart, _APART),
        ("near_copies_disputed", sorted({*pairs} - {*apart}), _DISPUTED),
    ):
        if found:
            doubts[key] = len(found)
            shown = first_few([f"{images[one].name} and {images[other].name}" for one, other in found], 3)
            print(said.format(counted(len(found), "pair lies", "pairs lie"), shown))
    if searched.growing:
        doubts["copies_not_searched"] = searched.growing
        print(_GROWING.format(searched.growing))
    return doubts


def _mention_subsets(images: Sequence[ArchiveImage], order: str) -> None:
    given = sorted({image.subset for image in images if image.subset}, key=SUBSETS.index)
    if order != "folders" and len(given) > 1:
        print(f"the images come as {', '.join(given)}, which split.order folders would keep; {order} divides them anew")


def _mention_others(counts: dict[str, Any], amounts: Amounts) -> None:
    """Copies and groups may leave fewer images than were asked for; groups also more, since they move whole."""
    for subset, amount in amounts.items():
        found = counts[subset].items() if isinstance(amount, int) else ()
        if fewer := [f"{label} {count}" for label, count in found if count < amount]:
            print(f"{subset}: fewer than the {amount} of split.{subset}: {first_few(fewer, 10)}")
        if more := [f"{label} {count}" for label, count in found if count > amount]:
            told = f"{subset}: more than the {amount} of split.{subset}, for groups and copies move whole"
            print(f"{told}: {first_few(more, 10)}")


def _actions(copies: pd.DataFrame, assignments: Sequence[str]) -> pd.Series:
    """What became of each copy."""
    kept = {subset: f"kept in {subset}" for subset in SUBSETS}
    taken = [kept.get(assignments[index], assignments[index]) for index in copies.index]
    return pd.Series(taken, copies.index, dtype=str)


def _paths(images: Sequence[ArchiveImage], assignments: Sequence[str]) -> dict[int, str]:
    """Where in the dataset each assigned image goes."""
    indices = [index for index, assignment in enumerate(assignments) if assignment in SUBSETS]
    paths = dataset_paths(
        [f"{assignments[index]}/{images[index].label}" for index in indices],
        [PurePosixPath(images[index].name).name for index in indices],
        [images[index].sha256 for index in indices],
    )
    return dict(zip(indices, paths, strict=True))


def _extract(archive: Path, dataset: Path, paths: dict[str, str]) -> None:
    with atomic_directory(dataset) as partial, zipfile.ZipFile(archive) as opened:
        for folder in {PurePosixPath(path).parent for path in paths.values()}:
            (partial / folder).mkdir(parents=True)
        for name, path in paths.items():
            (partial / path).write_bytes(opened.read(name))


def _row(image: ArchiveImage, path: str, subset: str) -> dict[str, Any]:
    return {
        "path": path,
        "class": image.label,
        "subset": subset,
        "group": image.group,
        "width": image.width,
        "height": image.height,
        "bytes": image.size,
        "sha256": image.sha256,
        "brightness": round(image.brightness, 4),
        "sharpness": round(image.sharpness, 1),
    }


def _counts(images: Sequence[ArchiveImage], assignments: Sequence[str], copies: pd.DataFrame) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for subset in SUBSETS:
        found = Counter(
            image.label for image, assignment in zip(images, assignments, strict=True) if assignment == subset
        )
        counts[subset] = dict(sorted(found.items()))
    return counts | {
        "unused": sum(assignment == UNUSED for assignment in assignments),
        "exact_duplicates": int((copies["kind"] == "exact").sum()),
        "near_duplicates": int((copies["kind"] != "exact").sum()),
        "set_aside": int(copies["action"].str.startswith("set aside").sum()),
    }


def _write_table(file: Path, table: pd.DataFrame) -> None:
    with atomic_file(file) as partial:
        write_csv(table, partial)


if __name__ == "__main__":
    entry.run(split)

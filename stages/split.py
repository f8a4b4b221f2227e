"""From the raw archive to training, validation and test pictures, and a table of all of them."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from stages.lib.core import entry
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import whole_directory, whole_file, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.core.sections import SplitParams
from stages.lib.duplicates.copies import as_told, check_copies, copy_table
from stages.lib.duplicates.groups import near_groups
from stages.lib.images.manifest import SUBSETS
from stages.lib.inventory.contents import Picture, Rejected, take_inventory
from stages.lib.labelling.labels import label_pictures
from stages.lib.splitting.assignment import assign
from stages.lib.splitting.dataset_paths import dataset_paths
from stages.lib.splitting.orders import UNUSED, Amounts


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
    """Write the dataset `<subset>/<class>/<file>` and four tables about it.

    manifest: path, class, subset, group (empty without), width, height, bytes, sha256, brightness, sharpness
    (`stages.lib.inventory.quality`), sorted by path. rejected: path, reason; also what is set aside by its name or has
    no class.
    duplicates: group, path, class, kind (exact, near, mirrored), distance (from the picture that stands for the group,
    as in `stages.lib.duplicates.likeness`), action. counts: pictures per subset and class, and left out,
    as JSON. metrics: pictures of all subsets together, as JSON.

    Raises:
        UserError: too many files cannot be decoded or are near copies, fewer than two classes, or a class with too few
            pictures.
    """
    found, left_out = take_inventory(archive)
    # Before anything can fail: whoever has to mend the pictures needs the whole list.
    _write_left_out(rejected, left_out)
    broken = [file for file in left_out if not file.by_name]
    _check_rejected(broken, len(found) + len(broken), params.max_rejected, rejected)
    pictures, unlabelled = label_pictures(archive, found, broken, params.labels, params.group)
    _write_left_out(rejected, [*left_out, *unlabelled])
    groups = near_groups(pictures, params.near_duplicates)
    copies = copy_table(pictures, groups)
    # Also before anything can fail: whoever wonders at what is called a copy needs to see it.
    _write_table(duplicates, copies)
    check_copies(copies, len(pictures), params.max_near_duplicates, duplicates)
    amounts: Amounts = {subset: getattr(params, subset) for subset in SUBSETS}
    _mention_subsets(pictures, params.order)
    try:
        fates = assign(pictures, groups, params.order, amounts, common.seed)
    except UserError as error:
        raise UserError(f"{error}{as_told(copies, duplicates)}") from None
    paths = _paths(pictures, fates)
    taken = [f"kept in {fates[place]}" if fates[place] in SUBSETS else fates[place] for place in copies.index]
    copies["action"] = pd.Series(taken, copies.index, dtype=str)

    _extract(archive, dataset, {pictures[place].name: path for place, path in paths.items()})
    rows = [_row(pictures[place], path, fates[place]) for place, path in paths.items()]
    _write_table(manifest, pd.DataFrame(rows).sort_values("path"))
    _write_table(duplicates, copies)
    found_counts = _counts(pictures, fates, copies) | {"rejected": len(broken), "unlabelled": len(unlabelled)}
    _mention_shortage(found_counts, amounts)
    write_json(found_counts, counts)
    write_json({"pictures": len(rows)}, metrics)
    print(
        ", ".join(
            f"{name} {value if isinstance(value, int) else sum(value.values())}" for name, value in found_counts.items()
        )
    )


def _check_rejected(broken: Sequence[Rejected], total: int, limit: float, listed: Path) -> None:
    for file in broken[:10]:
        print(f"rejected: {file.name}: {file.reason}")
    if len(broken) > limit * total:
        raise UserError(
            f"split.max_rejected: {len(broken)} of {total} files cannot be decoded ({len(broken) / total:.1%}; "
            f"expected at most {limit:.1%}), all are listed in {listed}, the first is "
            f"{broken[0].name}: {broken[0].reason}"
        )


def _write_left_out(file: Path, left_out: Sequence[Rejected]) -> None:
    _write_table(file, pd.DataFrame([(one.name, one.reason) for one in left_out], columns=["path", "reason"]))


def _mention_subsets(pictures: Sequence[Picture], order: str) -> None:
    given = sorted({picture.subset for picture in pictures if picture.subset}, key=SUBSETS.index)
    if order != "folders" and len(given) > 1:
        print(
            f"the pictures come as {', '.join(given)}, which split.order folders would keep; {order} divides them anew"
        )


def _mention_shortage(counts: dict[str, Any], amounts: Amounts) -> None:
    """Copies and groups may leave fewer pictures than were asked for."""
    for subset, amount in amounts.items():
        short = {label: count for label, count in counts[subset].items() if isinstance(amount, int) and count < amount}
        if short:
            told = ", ".join(f"{label} {count}" for label, count in list(short.items())[:10])
            print(f"{subset}: fewer than the {amount} of split.{subset}: {told}{', ...' if len(short) > 10 else ''}")


def _paths(pictures: Sequence[Picture], fates: Sequence[str]) -> dict[int, str]:
    """Where in the dataset each assigned picture goes."""
    places = [place for place, fate in enumerate(fates) if fate in SUBSETS]
    paths = dataset_paths(
        [f"{fates[place]}/{pictures[place].label}" for place in places],
        [PurePosixPath(pictures[place].name).name for place in places],
        [pictures[place].sha256 for place in places],
    )
    return dict(zip(places, paths, strict=True))


def _extract(archive: Path, dataset: Path, paths: dict[str, str]) -> None:
    with whole_directory(dataset) as partial, zipfile.ZipFile(archive) as opened:
        for folder in {PurePosixPath(path).parent for path in paths.values()}:
            (partial / folder).mkdir(parents=True)
        for name, path in paths.items():
            (partial / path).write_bytes(opened.read(name))


def _row(picture: Picture, path: str, subset: str) -> dict[str, Any]:
    return {
        "path": path,
        "class": picture.label,
        "subset": subset,
        "group": picture.group,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.size,
        "sha256": picture.sha256,
        "brightness": round(picture.brightness, 4),
        "sharpness": round(picture.sharpness, 1),
    }


def _counts(pictures: Sequence[Picture], fates: Sequence[str], copies: pd.DataFrame) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for subset in SUBSETS:
        found = Counter(picture.label for picture, fate in zip(pictures, fates, strict=True) if fate == subset)
        counts[subset] = dict(sorted(found.items()))
    return counts | {
        "unused": sum(fate == UNUSED for fate in fates),
        "exact_duplicates": int((copies["kind"] == "exact").sum()),
        "near_duplicates": int((copies["kind"] != "exact").sum()),
        "set_aside": int(copies["action"].str.startswith("set aside").sum()),
    }


def _write_table(file: Path, table: pd.DataFrame) -> None:
    with whole_file(file) as partial:
        write_csv(table, partial)


if __name__ == "__main__":
    entry.run(split)

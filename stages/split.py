"""From the raw archive to training, validation and test pictures, and a table of all of them."""

import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, PlainValidator

from stages.lib import entry
from stages.lib.assignment import UNUSED, assign
from stages.lib.copies import as_told, check_copies, copy_table
from stages.lib.duplicates import near_groups
from stages.lib.errors import UserError
from stages.lib.inventory import Picture, Rejected, take_inventory
from stages.lib.manifest import SUBSETS
from stages.lib.outputs import whole_directory, whole_file
from stages.lib.params import CommonParams, Params


def _amount(value: object) -> int | float:
    count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    share = isinstance(value, float) and 0 < value <= 1
    if not (count or share):
        raise ValueError("expected a count of at least 1, or a share above 0 and at most 1")
    return value  # type: ignore[return-value]


# One validator for both kinds: one error rather than one for each kind that it is not.
Amount = Annotated[int | float, PlainValidator(_amount)]


class SplitParams(Params):
    """Section `split`: how many pictures of each class go where.

    train, validation, test: per class; a whole number is a count, one with a point a share of the class.
    max_rejected: share of files that may be undecodable. near_duplicates: largest distance of near copies, as in
    `stages.lib.likeness`; None looks for equal files only. max_near_duplicates: share of pictures that may be near
    copies of another one.
    """

    order: Literal["index", "shuffle", "hash", "folders"]
    train: Amount
    validation: Amount
    test: Amount
    max_rejected: Annotated[float, Field(ge=0, le=1)]
    near_duplicates: Annotated[float, Field(gt=0, le=20)] | None
    max_near_duplicates: Annotated[float, Field(ge=0, le=1)]


def split(
    archive: Path,
    dataset: Path,
    manifest: Path,
    rejected: Path,
    duplicates: Path,
    metrics: Path,
    common: CommonParams,
    params: SplitParams,
) -> None:
    """Write the dataset `<subset>/<class>/<file>` and four tables about it.

    manifest: path, class, subset, width, height, bytes, sha256, brightness, sharpness (`stages.lib.quality`), sorted by
    path. rejected: path, reason. duplicates: group, path, class, kind (exact, near, mirrored), distance (from the
    picture that stands for the group, as in `stages.lib.likeness`), action. metrics: counts.

    Raises:
        UserError: too many files cannot be decoded or are near copies, fewer than two classes, or a class with too few
            pictures.
    """
    pictures, broken = take_inventory(archive)
    # Before anything can fail: whoever has to mend the pictures needs the whole list.
    _write_table(rejected, pd.DataFrame([(file.name, file.reason) for file in broken], columns=["path", "reason"]))
    _check_rejected(broken, len(pictures) + len(broken), params.max_rejected, rejected)
    _check_classes(pictures)
    groups = near_groups(pictures, params.near_duplicates)
    copies = copy_table(pictures, groups)
    # Also before anything can fail: whoever wonders at what is called a copy needs to see it.
    _write_table(duplicates, copies)
    check_copies(copies, len(pictures), params.max_near_duplicates, duplicates)
    amounts = {subset: getattr(params, subset) for subset in SUBSETS}
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
    counts = _counts(pictures, fates, broken, copies)
    with whole_file(metrics) as partial:
        partial.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    print(
        ", ".join(
            f"{name} {value if isinstance(value, int) else sum(value.values())}" for name, value in counts.items()
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


def _check_classes(pictures: Sequence[Picture]) -> None:
    classes = sorted({picture.label for picture in pictures})
    if len(classes) < 2:
        raise UserError(f"split: expected pictures of at least two classes. Received: {classes}")
    folded: dict[str, str] = {}
    for name in classes:
        if (other := folded.setdefault(name.casefold(), name)) != name:
            raise UserError(f"split: classes {other!r} and {name!r} differ only in case; expected one name")


def _paths(pictures: Sequence[Picture], fates: Sequence[str]) -> dict[int, str]:
    """Where in the dataset each assigned picture goes; files of one name get part of their checksum."""
    names = {
        place: PurePosixPath(fates[place], picture.label, PurePosixPath(picture.name).name)
        for place, picture in enumerate(pictures)
        if fates[place] in SUBSETS
    }
    # Some file systems take two names that differ in case for one.
    taken = Counter(str(path).casefold() for path in names.values())
    return {
        place: str(
            path.with_stem(f"{path.stem}-{pictures[place].sha256[:12]}") if taken[str(path).casefold()] > 1 else path
        )
        for place, path in names.items()
    }


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
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.size,
        "sha256": picture.sha256,
        "brightness": round(picture.brightness, 4),
        "sharpness": round(picture.sharpness, 1),
    }


def _counts(
    pictures: Sequence[Picture], fates: Sequence[str], broken: Sequence[Rejected], copies: pd.DataFrame
) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for subset in SUBSETS:
        found = Counter(picture.label for picture, fate in zip(pictures, fates, strict=True) if fate == subset)
        counts[subset] = dict(sorted(found.items()))
    return counts | {
        "unused": sum(fate == UNUSED for fate in fates),
        "rejected": len(broken),
        "exact_duplicates": int((copies["kind"] == "exact").sum()),
        "near_duplicates": int((copies["kind"] != "exact").sum()),
        "set_aside": int(copies["action"].str.startswith("set aside").sum()),
    }


def _write_table(file: Path, table: pd.DataFrame) -> None:
    with whole_file(file) as partial:
        table.to_csv(partial, index=False)


if __name__ == "__main__":
    entry.run(split)

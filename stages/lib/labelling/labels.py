"""The class of every image: from where it lies, from a csv beside the images, or by a regular expression."""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from safety.words import counted, first_few
from stages.lib.core.data_sections import AUTO, is_table
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS
from stages.lib.images.set_aside import NO_CLASS
from stages.lib.inventory.contents import ArchiveImage, Rejected
from stages.lib.inventory.strays import Strays
from stages.lib.labelling import remarks
from stages.lib.labelling.class_names import check_classes, problems
from stages.lib.labelling.layout import Placed
from stages.lib.labelling.layout_refusal import Unclear
from stages.lib.labelling.layout_strays import read_clear_layout
from stages.lib.labelling.likely_tables import likely_tables
from stages.lib.labelling.names import subset_of
from stages.lib.labelling.table import read_table

_IMAGES = {
    *(".arw", ".avif", ".bmp", ".cr2", ".dng", ".gif", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg"),
    *(".jpg", ".nef", ".pgm", ".png", ".ppm", ".psd", ".tga", ".tif", ".tiff", ".webp"),
}
_SHOWN = 100  # classes printed
Placing = Callable[[str], Placed | None]


def label_images(
    archive: Path,
    images: Sequence[ArchiveImage],
    broken: Sequence[Rejected],
    labels: str,
    group: str | None,
    strays: Strays | None = None,
    least: int = 1,
) -> tuple[list[ArchiveImage], list[Rejected]]:
    """Give every image its class, its subset and its group, and print what the layout leaves unused.

    Args:
        archive: as `download` writes it.
        images: those of it that can be decoded.
        broken: files that cannot be decoded.
        labels: "auto" goes by folders and names (`layout.read_layout`); else the name of a csv in the archive
            (`table.read_table`), or a regular expression on the path with `(?P<label>...)`, and
            `(?P<subset>...)` and `(?P<group>...)` if wanted.
        group: a regular expression on the path; what it matches, or its parentheses, is the group.
        strays: takes what does not fit the rest; None: that is an error.
        least: images that a class needs.

    Returns:
        The images that have a class, and those without, with the reason.

    Raises:
        UserError: the classes cannot be told apart; where nothing may be set aside also, that one of them has no
            image left or no name that can be used.
    """
    strays = strays or Strays()
    with zipfile.ZipFile(archive) as opened:
        folders = [name for name in opened.namelist() if name.endswith("/")]
        names = [*(image.name for image in images), *_likely_images(broken)]
        placing = _placing(opened, labels, names, folders, strays, least)
    placed = [placing(image.name) for image in images]
    found = [
        replace(image, label=place.label, subset=place.subset, group=place.group)
        for image, place in zip(images, placed, strict=True)
        if place and image.name not in strays.files
    ]
    without = [
        image for image, place in zip(images, placed, strict=True) if not place and image.name not in strays.files
    ]
    _check_lost(Counter(image.label for image in found), placing, broken, folders, strays)
    found = _with_good_names(found, strays)
    if group is not None:
        found = _grouped(found, group)
    for remark in remarks.of_subsets(found):
        print(remark)
    return found, [Rejected(image.name, f"{NO_CLASS}{labels}") for image in without]


def _placing(
    archive: zipfile.ZipFile, labels: str, names: Sequence[str], empty: Sequence[str], strays: Strays, least: int
) -> Placing:
    if is_table(labels):
        return read_table(archive, labels, strays).get
    if labels != AUTO:
        return lambda name: _matched(labels, name, strays)
    tables = likely_tables(archive)
    way = f"which split.labels: {tables[0]} would take with the columns path,label" if tables else ""
    hint = f"{', '.join(tables)} may hold labels, {way}" if tables else ""
    try:
        layout = read_clear_layout(names, strays, least)
    except Unclear as error:
        told = [
            str(error),
            *([hint] if hint else []),
            *([f"empty folders: {first_few(empty, remarks.SHOWN)}"] if empty else []),
        ]
        raise Unclear("; ".join(told), error.why, error.ways) from None
    if hint:
        print(f"not used: {hint}")
    for remark in remarks.of_layout(layout, names):
        print(remark)
    return layout.place


def _matched(pattern: str, name: str, strays: Strays) -> Placed | None:
    match = re.search(pattern, name)
    if not match or not match["label"]:
        return None
    values = match.groupdict()
    subset = values.get("subset")
    if subset and subset_of(subset) is None:
        told = f"split.labels: {name}: expected a subset {', '.join(SUBSETS)}. Received: {subset!r}"
        strays.put(UserError(told), [name])
        return None
    return Placed(match["label"], subset_of(subset) if subset else None, values.get("group") or "")


def _grouped(images: Sequence[ArchiveImage], pattern: str) -> list[ArchiveImage]:
    if any(image.group for image in images):
        raise UserError("split.group: expected null, for split.labels gives the groups. Received: " + repr(pattern))
    matches = [re.search(pattern, image.name) for image in images]
    if not any(matches):
        raise UserError(f"split.group: {pattern!r} matches no path, such as {images[0].name}")
    groups = [(match[1] if match.re.groups else match[0]) or "" if match else "" for match in matches]
    return [replace(image, group=name) for image, name in zip(images, groups, strict=True)]


def _with_good_names(images: list[ArchiveImage], strays: Strays) -> list[ArchiveImage]:
    """The images of classes whose names can be used."""
    counts = Counter(image.label for image in images)
    if strays.allowed and (wrong := problems(counts)):
        for label, problem in wrong.items():
            names = [image.name for image in images if image.label == label]
            strays.put(UserError(problem), names, label)
        images = [image for image in images if image.label not in wrong]
    labels = {image.label for image in images}
    if len(labels) < 2 and (aside := strays.listed()):
        told = f"{len(aside)} things were set aside, the first is {aside[0].name}: {aside[0].reason}"
        raise UserError(f"split: expected images of at least two classes. Received: {sorted(labels)}; {told}")
    check_classes(labels)
    return images


def _check_lost(
    counts: Counter[str], placing: Placing, broken: Sequence[Rejected], folders: Sequence[str], strays: Strays
) -> None:
    """Refuse, or name, what would leave a class without a word."""
    damaged: dict[str, list[Rejected]] = {}
    for file in broken:
        if file.name.endswith("/"):
            strays.put(UserError(f"split: {file.name}: {file.reason}"), [])
        elif file.name not in strays.files and (placed := placing(file.name)):
            damaged.setdefault(placed.label, []).append(file)
    for label, files in sorted(damaged.items()):
        total, first = counts[label] + len(files), f"the first is {files[0].name}: {files[0].reason}"
        if not counts[label]:
            told = f"split: class {label!r}: none of its {total} files can be decoded, {first}"
            strays.put(UserError(told), [], label)
        # One file of a small class is no sign of a broken transfer.
        elif len(files) > max(1, strays.share * total):
            told = f"split.max_rejected: class {label!r}: {len(files)} of {total} files cannot be decoded, {first}"
            strays.put(UserError(told), [], label, stays=True)
    for folder in folders:
        if (placed := placing(folder)) and not counts[placed.label]:
            told = (
                f"split: class {placed.label!r}: {folder} is empty; expected images (of films save single frames), "
                "or no such folder"
            )
            strays.put(UserError(told), [], placed.label)


def tell(images: Sequence[ArchiveImage], without: Sequence[Rejected], labels: str) -> None:
    """Print what classes, subsets and groups there are."""
    counts = Counter(image.label for image in images)
    subsets = Counter((image.label, image.subset) for image in images if image.subset)
    print(f"{len(counts)} classes by split.labels {labels}:")
    for label, count in sorted(counts.items())[:_SHOWN]:
        given = ", ".join(f"{name} {subsets[label, name]}" for name in SUBSETS if subsets[label, name])
        print(f"  {label}: {counted(count, 'image')}{f' ({given})' if given else ''}")
    if len(counts) > _SHOWN:
        print(f"  and {len(counts) - _SHOWN} more")
    groups = {image.group for image in images if image.group}
    if groups:
        alone = sum(not image.group for image in images)
        none = f"; {counted(alone, 'image is', 'images are')} in none" if alone else ""
        print(f"{counted(len(groups), 'group')}{none}")
    if without:
        stay = counted(len(without), "image has no class and stays", "images have no class and stay")
        print(f"{stay} out: {first_few([image.name for image in without], remarks.SHOWN)}")


def _likely_images(broken: Sequence[Rejected]) -> list[str]:
    """Files that are meant to be images: they belong to the layout as those that can be decoded."""
    return [file.name for file in broken if is_image_name(file.name)]


def is_image_name(name: str) -> bool:
    """Whether a file's name ends as those of images do."""
    return PurePosixPath(name).suffix.casefold() in _IMAGES

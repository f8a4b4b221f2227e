"""What an archive holds: each image decoded once and described."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from smallset.decoding.processes import answers
from smallset.images.broken import BrokenImage
from stages.lib.core.progress import tracked
from stages.lib.decoding import worker
from stages.lib.decoding.thumbnails import SIDE
from stages.lib.images.manifest import SubsetName
from stages.lib.images.set_aside import NO_IMAGE, is_set_aside

WORKER = worker.__name__  # run as a program


@dataclass(frozen=True, slots=True)
class ArchiveImage:
    """An image of the archive.

    Attributes:
        name: in the archive.
        label: its class, subset: the one it was collected for, group: what it must not be parted from, all of which
            `labelling` adds.
        series: checksum of the first image of the series of near copies that is its group, which `duplicates` adds.
        width: pixels, upright.
        height: pixels, upright.
        thumbnail: uint8 (48, 48, 3), as in `thumbnails`.
        brightness: as in `quality`.
        sharpness: as in `quality`.
    """

    name: str
    label: str
    width: int
    height: int
    size: int
    sha256: str
    thumbnail: np.ndarray
    brightness: float
    sharpness: float
    subset: SubsetName | None = None
    group: str = ""
    series: str = ""


@dataclass(frozen=True)
class Rejected:
    """A file of the archive that does not count, and why.

    Attributes:
        by_name: it is no image by its name, and was not looked at.
    """

    name: str
    reason: str
    by_name: bool = False


def take_inventory(archive: Path) -> tuple[list[ArchiveImage], list[Rejected]]:
    """Decode and describe every file of a zip, in the order of their names; nothing is known of their classes yet.

    Decoding happens in processes of their own (`decoding`), so that no file ends more than itself. What
    `download` could not read has a comment that says why (`archives.write_zip`); also a folder, whose name ends in `/`.
    """
    with zipfile.ZipFile(archive) as opened:
        noted = {info.filename: info.comment.decode("utf-8", "replace") for info in opened.infolist() if info.comment}
        names = sorted(name for name in opened.namelist() if not (name.endswith("/") or name in noted))
        aside = [Rejected(name, NO_IMAGE, True) for name in names if is_set_aside(name)]
        names = [name for name in names if not is_set_aside(name)]
        images, rejected = [], []
        for found in tracked(_describe_all(archive, names), "reading images", len(names)):
            if isinstance(found, ArchiveImage):
                images.append(found)
            else:
                rejected.append(found)
    return images, [*rejected, *(Rejected(name, why) for name, why in noted.items()), *aside]


def natural_order(name: str) -> tuple[int, str]:
    """Key that sorts files by the last number in their name, and those without one first."""
    numbers = re.findall(r"\d+", PurePosixPath(name).stem)
    return (int(numbers[-1]) if numbers else -1, name)


def _describe_all(archive: Path, names: Sequence[str]) -> Iterator[ArchiveImage | Rejected]:
    orders = [{"do": "describe", "archive": str(archive), "name": name} for name in names]
    for name, found in zip(names, answers(orders, len(orders), WORKER), strict=True):
        if isinstance(found, BrokenImage):
            yield Rejected(name, str(found))
        else:
            about, content = found
            pixels = np.frombuffer(content, np.uint8).reshape(SIDE, SIDE, 3)
            yield ArchiveImage(name, "", thumbnail=pixels, **about)

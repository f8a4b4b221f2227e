"""What an archive holds: each picture decoded once and described."""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock

import numpy as np

from stages.lib.core.progress import counted
from stages.lib.images.decode import DECODING_THREADS, size_of, upright
from stages.lib.images.files import BrokenPicture
from stages.lib.images.manifest import SubsetName
from stages.lib.images.set_aside import is_set_aside
from stages.lib.inventory.quality import brightness, sharpness
from stages.lib.inventory.thumbnails import thumbnail

_ENOUGH = 512  # pixels: of a larger picture no more is looked at
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the archive.

    name: in the archive. label: its class, subset: the one it was collected for, group: what it must not be parted
    from, all of which `labelling` adds. width, height: pixels, upright.
    thumbnail: uint8 (48, 48, 3), as in `thumbnails`. brightness, sharpness: as in `quality`.
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


@dataclass(frozen=True)
class Rejected:
    """A file of the archive that does not count, and why.

    by_name: it is no picture by its name, and was not looked at.
    """

    name: str
    reason: str
    by_name: bool = False


def take_inventory(archive: Path) -> tuple[list[Picture], list[Rejected]]:
    """Decode and describe every file of a zip, in the order of their names; nothing is known of their classes yet."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        aside = [Rejected(name, "set aside: no picture by its name", True) for name in names if is_set_aside(name)]
        names = [name for name in names if not is_set_aside(name)]
        pictures, rejected = [], []
        for found in counted(_describe_all(opened, names), "reading pictures", len(names)):
            if isinstance(found, Picture):
                pictures.append(found)
            else:
                rejected.append(found)
    return pictures, [*rejected, *aside]


def natural_order(name: str) -> tuple[int, str]:
    """Key that sorts files by the last number in their name, and those without one first."""
    numbers = re.findall(r"\d+", PurePosixPath(name).stem)
    return (int(numbers[-1]) if numbers else -1, name)


def _describe_all(archive: zipfile.ZipFile, names: Sequence[str]) -> Iterator[Picture | Rejected]:
    one_at_a_time = Lock()

    def describe(name: str) -> Picture | Rejected:
        # Here rather than before: no more files are in memory than are being decoded.
        with one_at_a_time:
            content = archive.read(name)
        return _describe(name, content)

    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        for start in range(0, len(names), _CHUNK):
            yield from pool.map(describe, names[start : start + _CHUNK])


def _describe(name: str, content: bytes) -> Picture | Rejected:
    try:
        width, height = size_of(content)
        picture = upright(content, enough=_ENOUGH)
    except BrokenPicture as error:
        return Rejected(name, str(error))
    grey = picture.convert("L")
    return Picture(
        name,
        "",
        width,
        height,
        len(content),
        hashlib.sha256(content).hexdigest(),
        thumbnail(picture),
        brightness(grey),
        sharpness(grey),
    )

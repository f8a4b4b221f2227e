"""What an archive holds: each picture decoded once and described, its class read from where it lies."""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from threading import Lock

import numpy as np

from stages.lib.errors import UserError
from stages.lib.manifest import SubsetName
from stages.lib.pictures import DECODING_THREADS, BrokenPicture, size_of, upright
from stages.lib.progress import counted
from stages.lib.quality import brightness, sharpness
from stages.lib.thumbnails import thumbnail

_NUMBERED = re.compile(r"(?P<label>.+)\.\d+$")
_ENOUGH = 512  # pixels: of a larger picture no more is looked at
_CHUNK = 1024
_SUBSET_FOLDERS: dict[str, SubsetName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the archive.

    name: in the archive. label: its class. width, height: pixels, upright.
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


@dataclass(frozen=True)
class Rejected:
    """A file of the archive that is no picture, and why."""

    name: str
    reason: str


def take_inventory(archive: Path) -> tuple[list[Picture], list[Rejected]]:
    """Decode and describe every file of a zip, in the order of their names.

    Raises:
        UserError: the files are not laid out by class.
    """
    with zipfile.ZipFile(archive) as opened:
        names = sorted(opened.namelist())
        pictures, rejected = [], []
        for found in counted(_describe_all(opened, names), "reading pictures", len(names)):
            if isinstance(found, Picture):
                pictures.append(found)
            else:
                rejected.append(found)
    # A list of contents or a licence among the pictures says nothing about the layout: only pictures do.
    labels = labels_of([picture.name for picture in pictures]) if pictures else []
    return [replace(picture, label=label) for picture, label in zip(pictures, labels, strict=True)], rejected


def labels_of(names: Sequence[str]) -> list[str]:
    """The class of each file: its folder, or what stands before the number where one folder holds them all.

    Raises:
        UserError: neither tells at least two classes apart.
    """
    folders = [PurePosixPath(name).parent.name for name in names]
    # train/cat.0.jpg and test/cat.1.jpg are cats, neither a train nor a test.
    if len(set(folders)) > 1 and not all(subset_of(folder) for folder in set(folders)):
        if "" in folders:
            name = names[folders.index("")]
            raise UserError(f"expected every picture in a folder of its class. Received: {name}, which is in none")
        return folders
    numbered = [_NUMBERED.match(PurePosixPath(name).stem) for name in names]
    labels = [match["label"] for match in numbered if match]
    if len(labels) < len(names) or len(set(labels)) < 2:
        shown = [name for name, match in zip(names, numbered, strict=True) if not match] or list(names)
        raise UserError(
            "expected pictures of at least two classes, as <class>/<file> or <class>.<number>.jpg. "
            f"Received: {', '.join(shown[:3]) or 'no picture'}{' ...' if len(shown) > 3 else ''}"
        )
    return labels


def subset_of(folder: str) -> SubsetName | None:
    """The subset that a folder of this name holds; None for any other folder."""
    return _SUBSET_FOLDERS.get(folder.casefold())


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

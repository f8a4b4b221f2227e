"""Where in the dataset each image lies: its own name, made unique where several have one."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

_LONGEST = 255  # bytes of a file's name, on every usual file system
_CHECKSUM = 12  # digits of it that tell files of one name apart


def dataset_paths(folders: Sequence[str], names: Sequence[str], checksums: Sequence[str]) -> list[str]:
    """Give each file a path of its own, `<folder>/<name>`.

    Files of one name in a folder get a part of their checksum each; a number besides, should that be another file's
    name.

    Args:
        folders: in the dataset.
        names: of the files alone.
        checksums: hexadecimal digits of their content.

    Returns:
        Paths that differ in more than case or the form of Unicode, with names of at most 255 bytes.
    """
    wanted = [PurePosixPath(folder, name) for folder, name in zip(folders, names, strict=True)]
    times = Counter(map(_seen, wanted))
    paths: dict[int, PurePosixPath] = {
        index: path for index, path in enumerate(wanted) if times[_seen(path)] == 1 and _fits(path)
    }
    taken = set(map(_seen, paths.values()))
    for index, path in enumerate(wanted):
        if index not in paths:
            mark, number = f"-{checksums[index][:_CHECKSUM]}", 1
            paths[index] = _marked(path, mark)
            while _seen(paths[index]) in taken:
                number += 1
                paths[index] = _marked(path, f"{mark}-{number}")
            taken.add(_seen(paths[index]))
    return [str(paths[index]) for index in range(len(wanted))]


def _seen(path: PurePosixPath) -> str:
    """The same for paths that some file systems take for one."""
    return unicodedata.normalize("NFC", str(path).casefold())


def _fits(path: PurePosixPath) -> bool:
    return len(path.name.encode()) <= _LONGEST


def _marked(path: PurePosixPath, mark: str) -> PurePosixPath:
    """The path with a mark at the end of its stem, of which it takes the room that it needs."""
    # What looks like a suffix of many letters is none.
    suffix = path.suffix if len(path.suffix.encode()) <= _LONGEST // 8 else ""
    stem = path.name.removesuffix(suffix).encode()[: _LONGEST - len((mark + suffix).encode())]
    return path.with_name(stem.decode(errors="ignore") + mark + suffix)

"""The process that decodes and describes the images of an archive that a stranger made."""

import zipfile
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from smallset.decoding.worker import Answer, main
from smallset.images import files
from smallset.images.memory_budget import TooMuchAtOnce
from stages.lib.decoding.described import describe


def described(order: dict[str, Any]) -> Answer:
    """What `split` needs to know of the image `name` in `archive`."""
    found = describe(member(order["archive"], order["name"]))
    about = asdict(found)
    return about, about.pop("thumbnail").tobytes()


def member(archive: str, name: str) -> bytes:
    """The bytes of a file in an archive.

    Raises:
        BrokenImage: it is too large. TooMuchAtOnce: it is, beside others.
    """
    size = _opened(archive).getinfo(name).file_size
    files.check_size(size)
    if files.memory.share is not None and size > files.memory.share:
        raise TooMuchAtOnce
    return _opened(archive).read(name)


@lru_cache(maxsize=1)
def _opened(archive: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


if __name__ == "__main__":
    main({"describe": described})

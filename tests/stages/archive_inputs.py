"""Folders and archives of a few files, in the working directory, and what reading them gives."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from stages.lib.core.errors import UserError
from stages.lib.sources.archives import members

CONTENT = {"b/two.jpg": b"two" * 500, "a/one.jpg": b"one", "a/empty.jpg": b"", "ä/drei.jpg": bytes(range(256))}


def make_folder(content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        file = Path("folder", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return Path("folder")


def raw_archive(folder: Path, content: dict[str, bytes]) -> Path:
    """A zip as the stage `download` leaves it, in a folder."""
    with zipfile.ZipFile(folder / "raw.zip", "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return folder / "raw.zip"


def make_zip(content: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile("archive.zip", "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return Path("archive.zip")


def make_tar(content: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open("archive.tar", mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return Path("archive.tar")


def read(source: Path, anywhere: bool = False) -> dict[str, bytes]:
    with members(source, anywhere) as found:
        return {member.name: member.read() for member in found}


def refusal(source: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(source)
    message = str(caught.value)
    assert "\n" not in message
    assert str(source) in message
    return message

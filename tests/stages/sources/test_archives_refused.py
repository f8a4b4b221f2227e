"""What is damaged or made to do harm is refused in one line."""

import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.lib.sources import damage
from tests.stages.archive_inputs import CONTENT, make_tar, make_zip, read, refusal

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "..\\x.jpg"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_that_leads_outside_is_refused(make: Callable[[dict[str, bytes]], Path], name: str) -> None:
    assert "inside the archive" in refusal(make({name: b"x"}))


@pytest.mark.parametrize("name", ["/etc/x.jpg", "C:\\x.jpg", "\\\\host\\x.jpg"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_absolute_name_is_refused(make: Callable[[dict[str, bytes]], Path], name: str) -> None:
    assert "relative" in refusal(make({name: b"x"}))


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_not_every_file_system_takes_are_refused(make: Callable[[dict[str, bytes]], Path]) -> None:
    assert "control characters" in refusal(make({"a/x\n.jpg": b"x"}))
    assert "at most 255 bytes" in refusal(make({"a/" + "x" * 256: b"x"}))
    assert "to have a name" in refusal(make({".": b"x"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused() -> None:
    with zipfile.ZipFile("archive.zip", "w") as archive:
        archive.writestr("a/x.jpg", b"1")
        archive.writestr("a/x.jpg", b"2")
    assert "a/x.jpg: expected each name once" in refusal(Path("archive.zip"))
    with tarfile.open("archive.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("a/x.jpg"))
        tar.addfile(tarfile.TarInfo("./a/x.jpg"))
    assert "a/x.jpg: expected each name once" in refusal(Path("archive.tar"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes) -> None:
    with tarfile.open("archive.tar", "w") as tar:
        info = tarfile.TarInfo("a/x.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    assert "a/x.jpg: expected a file" in refusal(Path("archive.tar"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(kind: int) -> None:
    with zipfile.ZipFile("archive.zip", "w") as archive:
        info = zipfile.ZipInfo("a/x.jpg")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "a/x.jpg: expected a file" in refusal(Path("archive.zip"))


@pytest.mark.parametrize(
    "make", [make_zip, lambda content: make_tar(content, "w:gz"), lambda content: make_tar(content, "w:xz")]
)
def test_what_expands_absurdly_is_refused(
    make: Callable[[dict[str, bytes]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make({"a/x.bmp": bytes(1 << 20)})
    assert len(read(source)["a/x.bmp"]) == 1 << 20  # harmless: too little to fill a disk
    monkeypatch.setattr(damage, "HARMLESS", 1 << 16)
    assert "at most 100 times its size" in refusal(source)


def test_one_bomb_among_honest_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "HARMLESS", 1 << 16)
    with zipfile.ZipFile("archive.zip", "w") as archive:
        archive.writestr("a/large.jpg", bytes(1 << 16), zipfile.ZIP_STORED)
        archive.writestr("b/bomb.jpg", bytes(1 << 20), zipfile.ZIP_DEFLATED)
    assert "b/bomb.jpg: expected at most 100 times" in refusal(Path("archive.zip"))


def test_a_zip_that_lies_about_its_size_is_damaged() -> None:
    raw = bytearray(make_zip({"a/x.bmp": bytes(1 << 20)}).read_bytes())
    entry = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, entry + 24, 1000)  # the size after unpacking in the table of contents
    Path("archive.zip").write_bytes(raw)
    assert "a/x.bmp: damaged" in refusal(Path("archive.zip"))


def test_an_encrypted_zip_is_refused() -> None:
    raw = bytearray(make_zip({"a/x.jpg": b"x"}).read_bytes())
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    Path("archive.zip").write_bytes(raw)
    assert "a/x.jpg: expected no encryption" in refusal(Path("archive.zip"))


@pytest.mark.parametrize(
    "make",
    [
        lambda content: make_zip(content, zipfile.ZIP_STORED),
        make_tar,
        lambda content: make_tar(content, "w:gz"),
        lambda content: make_tar(content, "w:bz2"),
        lambda content: make_tar(content, "w:xz"),
    ],
    ids=["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_truncated_archive_is_refused(make: Callable[[dict[str, bytes]], Path], share: float) -> None:
    import random

    noise = random.Random(0)
    source = make({f"a/{index}.jpg": noise.randbytes(3000) for index in range(20)})
    whole = source.read_bytes()
    source.write_bytes(whole[: int(share * (len(whole) if source.suffix == ".zip" else content_end(source)))])
    assert "damaged" in refusal(source)


def content_end(source: Path) -> int:
    """Bytes of a tar without the zeros with which it may be filled up."""
    raw = source.read_bytes()
    return len(raw) if raw[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7") else len(raw.rstrip(b"\0"))


def test_a_flipped_bit_is_found() -> None:
    source = make_zip(CONTENT, zipfile.ZIP_STORED)
    raw = bytearray(source.read_bytes())
    raw[raw.index(b"twotwo")] ^= 1
    source.write_bytes(raw)
    assert "b/two.jpg: damaged" in refusal(source)


def test_what_is_no_source_says_what_was_expected() -> None:
    assert "expected a folder, a zip or a tar, found nothing" in refusal(Path("missing"))
    Path("picture.jpg").write_bytes(b"\xff\xd8 no archive")
    assert "expected a folder, a zip or a tar" in refusal(Path("picture.jpg"))
    Path("empty").write_bytes(b"")
    assert "expected a folder, a zip or a tar" in refusal(Path("empty"))

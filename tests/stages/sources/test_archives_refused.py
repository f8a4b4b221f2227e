"""What is damaged or made to do harm is refused in one line."""

import copy
import random
import shutil
import stat
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.lib.core import damage
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
    assert "at most 1024 bytes" in refusal(make({"a/" * 600 + "x.jpg": b"x"}))
    assert "to have a name" in refusal(make({".": b"x"}))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "found an archive: unpack it"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(99), "found an archive: unpack it"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "found a web page: name the address of the archive itself"),
        (b"", "found an empty file"),
        (b"x" * 99, "a zip or a tar (truncated header)"),
    ],
)
def test_what_is_no_archive_that_is_read_is_called_what_it_is(content: bytes, found: str) -> None:
    Path("birds").write_bytes(content)
    assert found in refusal(Path("birds"))


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


@pytest.mark.skipif(sys.platform == "darwin", reason="both forms of Unicode are one name there")
def test_two_names_that_look_the_same_are_told_as_what_they_may_be() -> None:
    Path("folder").mkdir()
    for name in ("\u00e9.jpg", "e\u0301.jpg"):
        Path("folder", name).write_bytes(b"x")
    assert "\u00e9.jpg: expected each name once, found it twice, perhaps in two forms" in refusal(Path("folder"))


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


PACKED = [make_zip, make_tar, lambda content: make_tar(content, "w:gz"), lambda content: make_tar(content, "w:xz")]


@pytest.mark.parametrize("make", PACKED)
def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_full(
    make: Callable[[dict[str, bytes]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make({"a/x.jpg": bytes(3000), "a/y.jpg": bytes(3000)})
    assert len(read(source)) == 2
    monkeypatch.setattr(damage, "_LEFT_FREE", shutil.disk_usage(".").free - 5000)
    assert "are free on this disk" in refusal(source)


@pytest.mark.parametrize("make", PACKED)
def test_an_archive_has_only_so_many_files(
    make: Callable[[dict[str, bytes]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damage, "MOST_MEMBERS", 3)
    assert len(read(make({f"{number}.jpg": b"" for number in range(3)}))) == 3
    assert "at most 3 files" in refusal(make({f"{number}.jpg": b"" for number in range(4)}))


def test_entries_that_share_their_content_count_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many entries of one zip may point to the same bytes, so that none expands absurdly and all together do."""
    monkeypatch.setattr(damage, "HARMLESS", 1 << 16)
    with zipfile.ZipFile("archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.bmp", random.Random(0).randbytes(200) * 60)
        for number in range(1, 300):
            twin = copy.copy(archive.filelist[0])
            twin.filename = f"{number}.bmp"
            archive.filelist.append(twin)
    message = refusal(Path("archive.zip"))
    assert "archive.zip: expected at most 100 times" in message


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


def test_an_entry_without_a_name_is_refused() -> None:
    raw = bytearray(make_zip({"a": b"x"}).read_bytes().replace(b"a", b""))
    for mark, place in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        struct.pack_into("<H", raw, raw.index(mark) + place, 0)
    end = raw.index(b"PK\x05\x06")
    struct.pack_into("<2I", raw, end + 12, end - raw.index(b"PK\x01\x02"), raw.index(b"PK\x01\x02"))
    Path("archive.zip").write_bytes(raw)
    assert "to have a name" in refusal(Path("archive.zip"))


def test_a_reason_is_not_as_long_as_the_archive() -> None:
    raw = bytearray(make_zip({"a/x.jpg": b"x" * 5000}, zipfile.ZIP_STORED).read_bytes())
    struct.pack_into("<H", raw, 26, 4000)  # the length of the first entry's name, in its own header
    Path("archive.zip").write_bytes(raw)
    assert len(refusal(Path("archive.zip"))) < 400


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
    Path("image.jpg").write_bytes(b"\xff\xd8 no archive")
    assert "expected a folder, a zip or a tar" in refusal(Path("image.jpg"))
    Path("empty").write_bytes(b"")
    assert "expected a folder, a zip or a tar" in refusal(Path("empty"))

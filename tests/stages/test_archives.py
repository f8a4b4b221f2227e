"""Folders, zips and tars give the same members, and an archive is written whole."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.lib.archives import in_memory, is_set_aside, members, write_zip
from stages.lib.errors import UserError
from tests.stages.archive_inputs import CONTENT, make_folder, make_tar, make_zip, read, refusal

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize(
    "make",
    [
        make_folder,
        make_zip,
        lambda content: make_zip(content, zipfile.ZIP_STORED),
        make_tar,
        lambda content: make_tar(content, "w:gz"),
        lambda content: make_tar(content, "w:bz2"),
        lambda content: make_tar(content, "w:xz"),
    ],
    ids=["folder", "zip", "stored zip", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_every_kind_gives_the_same_members_in_the_same_order(make: Callable[[dict[str, bytes]], Path]) -> None:
    found = read(make(CONTENT))
    assert found == CONTENT
    assert list(found) == sorted(CONTENT)


def test_a_compressed_tar_leaves_nothing_behind() -> None:
    read(make_tar(CONTENT, "w:gz"))
    assert not list(Path(".smallset").iterdir())


def test_links_in_ones_own_folder_are_followed_but_not_in_a_circle() -> None:
    folder = make_folder({"a/one.jpg": b"1"})
    Path("elsewhere").mkdir()
    Path("elsewhere/two.jpg").write_bytes(b"2")
    (folder / "b").symlink_to(Path("elsewhere").resolve())
    (folder / "a" / "circle").symlink_to(folder.resolve())
    assert read(folder) == {"a/one.jpg": b"1", "b/two.jpg": b"2"}
    (folder / "a" / "lost.jpg").symlink_to("nowhere")
    assert "a/lost.jpg: expected a file or a folder" in refusal(folder)


@pytest.mark.parametrize(
    "name", [".DS_Store", "a/.hidden.jpg", "__MACOSX/a/x.jpg", "a/Thumbs.db", "README", "a/readme.md", ".git/x"]
)
def test_what_is_no_picture_by_its_name(name: str) -> None:
    assert is_set_aside(name)


def test_what_may_be_one() -> None:
    assert not any(is_set_aside(name) for name in ["a/x.jpg", "a/x", "a.b/c.0.jpg", "a/reader.jpg"])


def test_equal_content_gives_equal_bytes_in_any_order() -> None:
    content = [in_memory(name, lambda data=data: data) for name, data in CONTENT.items()]
    write_zip(Path("one.zip"), content, "test")
    write_zip(Path("two.zip"), reversed(content), "test")
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()
    assert read(Path("one.zip")) == CONTENT


def test_an_archive_is_written_whole_or_not_at_all() -> None:
    Path("out.zip").write_bytes(b"before")
    source = make_zip(CONTENT, zipfile.ZIP_STORED)
    raw = bytearray(source.read_bytes())
    raw[raw.index(b"twotwo")] ^= 1
    source.write_bytes(raw)
    with pytest.raises(UserError, match="damaged"), members(source) as found:
        write_zip(Path("out.zip"), found, "test")
    assert Path("out.zip").read_bytes() == b"before"
    assert not list(Path().glob(".*.partial"))

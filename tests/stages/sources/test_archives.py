"""Folders, zips and tars give the same members, and an archive is written whole."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_packed, is_set_aside
from stages.lib.sources.archives import members
from stages.lib.sources.member import in_memory
from stages.lib.sources.raw_archive import write_zip
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


def test_names_in_utf_8_need_no_mark_in_a_zip() -> None:
    """As macOS's Finder writes them; all others without the mark are of code page 437."""
    archive = make_zip({"bXXr/1.jpg": b"1", "bXr/1.jpg": b"2"}, zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(b"bXXr", "bär".encode()).replace(b"bXr", "bür".encode("cp437")))
    assert read(archive) == {"bär/1.jpg": b"1", "bür/1.jpg": b"2"}


def test_a_compressed_tar_leaves_nothing_behind() -> None:
    read(make_tar(CONTENT, "w:gz"))
    assert not list(Path(".smallset").iterdir())


def test_links_of_ones_own_making_are_followed_where_that_is_said() -> None:
    folder = make_folder({"a/one.jpg": b"1"})
    Path("elsewhere").mkdir()
    Path("elsewhere/two.jpg").write_bytes(b"2")
    (folder / "b").symlink_to(Path("elsewhere").resolve())
    (folder / "a" / "two.jpg").symlink_to(Path("elsewhere/two.jpg").resolve())
    assert read(folder, anywhere=True) == {"a/one.jpg": b"1", "a/two.jpg": b"2", "b/two.jpg": b"2"}
    assert "a/two.jpg: a link that leads out of the folder" in refusal(folder)
    for link in ("b", "a/two.jpg"):
        (folder / link).unlink()
    (folder / "a" / "lost.jpg").symlink_to("nowhere")
    assert "a/lost.jpg: expected a file or a folder" in refusal(folder)


@pytest.mark.parametrize(
    ("link", "target", "other"),
    [("c", "a", "a/"), ("a/x", "b", "b/"), ("a/circle", ".", "the folder itself"), ("a/inner/up", "a", "a/")],
)
def test_a_folder_that_is_reached_twice_is_refused_with_both_names(link: str, target: str, other: str) -> None:
    """Read once, a class would be lost; read twice, both would, since their images contradict each other."""
    folder = make_folder({"a/1.jpg": b"1", "b/2.jpg": b"2", "a/inner/3.jpg": b"3"})
    (folder / link).symlink_to((folder / target).resolve())
    message = refusal(folder)
    assert "expected each folder once" in message
    assert f"{link}/" in message
    assert other in message


def test_what_systems_leave_never_refuses_a_folder() -> None:
    folder = make_folder(
        {"a/1.jpg": b"1", "a/Icon\r": b"", "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg": b"t", ".git/x": b""}
    )
    (folder / ".git" / "lost").symlink_to("nowhere")
    (folder / "@eaDir").symlink_to((folder / "a").resolve())
    assert [name for name in read(folder) if is_packed(name)] == ["a/1.jpg"]


@pytest.mark.parametrize("make", [make_folder, make_zip, make_tar], ids=["folder", "zip", "tar"])
def test_a_folder_without_files_is_a_member(make: Callable[[dict[str, bytes]], Path]) -> None:
    """It may be a class that has lost its images."""
    content = {"a/1.jpg": b"1", "a/deep/2.jpg": b"2", "heron/.DS_Store": b"mac", "docs/about.txt": b"about"}
    for folder in ("heron", "a/none", ".hidden", "lost+found"):
        Path("folder", folder).mkdir(parents=True)
    make_folder(content)
    source = Path("folder")
    if make is make_zip:
        source = Path(shutil.make_archive("packed", "zip", "folder"))
    if make is make_tar:
        source = Path(shutil.make_archive("packed", "gztar", "folder"))
    with members(source) as found:
        assert [member.name for member in found if member.is_folder] == ["a/none/", "heron/"]
        write_zip(Path("raw.zip"), [member for member in found if is_packed(member.name)], "test")
    assert read(Path("raw.zip")) == {"a/1.jpg": b"1", "a/deep/2.jpg": b"2", "a/none/": b"", "heron/": b""}


def test_a_zip_of_older_windows_programs_has_folders_too() -> None:
    """Their names have backslashes, also at the end; for Python that is no folder."""
    with members(make_zip({"a\\": b"", "a\\1.jpg": b"1", "heron\\": b""})) as found:
        assert [member.name for member in found] == ["a/1.jpg", "heron/"]


@pytest.mark.parametrize("make", [make_folder, make_zip, make_tar], ids=["folder", "zip", "tar"])
def test_a_folder_of_nothing_but_films_is_a_member_without_files(make: Callable[[dict[str, bytes]], Path]) -> None:
    """Else a class would be gone without a word; zips and tars as these have no entries for folders."""
    source = make({"a/1.HEIC": b"1", "a/1.MOV": b"1", "owl/1.mov": b"1", "owl/deep/2.mp4": b"2", ".x/3.mp4": b"3"})
    with members(source) as found:
        assert [member.name for member in found if is_packed(member.name)] == ["a/1.HEIC", "owl/", "owl/deep/"]


@pytest.mark.parametrize(
    "name",
    [
        *("a/IMG_0001.MOV", "a/x.mp4", "a/IMG_0001.AAE", "a/x.jpg.xmp", "a/memo.m4a"),
        *(
            ".DS_Store",
            "a/.hidden.jpg",
            "__MACOSX/a/x.jpg",
            "a/Thumbs.db",
            "README",
            "a/readme.md",
            ".git/x",
            "a/Icon\r",
        ),
        *("@eaDir/1.jpg/T.jpg", "#recycle/x.jpg", "a/@Recycle/x.jpg", "$RECYCLE.BIN/x.jpg", "lost+found/x.jpg"),
        *(
            "a/.ipynb_checkpoints/x.jpg",
            "a/desktop.ini",
            "a/x.txt",
            "x.csv",
            "a/x.json",
            "a/x.XML",
            "LICENSE",
            "x.jpg~",
        ),
    ],
)
def test_what_is_no_image_by_its_name(name: str) -> None:
    assert is_set_aside(name)


def test_what_may_be_one() -> None:
    assert not any(is_set_aside(name) for name in ["a/x.jpg", "a/x", "a.b/c.0.jpg", "a/reader.jpg", "a/license.0.jpg"])
    assert is_packed("a/labels.csv")
    assert not any(is_packed(name) for name in ["a/.labels.csv", "@eaDir/labels.csv", "a/x.txt"])


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

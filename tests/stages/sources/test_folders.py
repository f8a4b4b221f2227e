"""A stranger's unpacked folder: links that lead out of it, circles, pipes, and files that somebody writes meanwhile."""

import os
import socket
import threading
from pathlib import Path

import pytest

from stages.lib.core.errors import UserError
from stages.lib.sources import folders
from stages.lib.sources.archives import members
from tests.stages.archive_inputs import make_folder, read, refusal

pytestmark = pytest.mark.usefixtures("elsewhere")


def images() -> Path:
    Path("secret").mkdir()
    Path("secret/key.jpg").write_bytes(b"secret")
    return make_folder({"a/one.jpg": b"1", "b/two.jpg": b"2"})


@pytest.mark.parametrize("target", ["../../secret/key.jpg", "../../secret", "/etc/hostname", "/", "..", "../.."])
@pytest.mark.parametrize("name", ["a/x.jpg", "a/labels.csv", "c"])
def test_no_link_leads_out_of_the_folder(target: str, name: str) -> None:
    folder = images()
    (folder / name).symlink_to(Path(target) if name.startswith("a/") or target[0] == "/" else Path(target[3:] or "."))
    message = refusal(folder)
    assert f"{name}" in message
    assert "a link that leads out of the folder" in message or "expected each folder once" in message
    with pytest.raises(UserError, match=r"leads out|each folder once"):
        list(folders.walk(folder))


def test_a_link_by_way_of_links_counts_by_where_it_ends() -> None:
    folder = images()
    (folder / "a" / "hop").symlink_to("../b/hop")
    (folder / "b" / "hop").symlink_to("../../secret/key.jpg")
    assert "leads out of the folder" in refusal(folder)
    Path("sibling").mkdir()
    Path("folder-2").mkdir()
    Path("folder-2/x.jpg").write_bytes(b"x")
    for link in ("a", "b"):
        (folder / link / "hop").unlink()
    # Not a part of the folder for beginning with its name.
    (folder / "a" / "x.jpg").symlink_to("../../folder-2/x.jpg")
    assert "leads out of the folder" in refusal(folder)


def test_links_inside_are_followed_also_where_the_folder_is_one(tmp_path: Path) -> None:
    folder = images()
    (folder / "b" / "also.jpg").symlink_to("../a/one.jpg")
    (folder / "b" / "absolute.jpg").symlink_to((folder / "a" / "one.jpg").resolve())
    Path("mine").symlink_to(folder)
    found = read(Path("mine"))
    assert found == {"a/one.jpg": b"1", "b/also.jpg": b"1", "b/absolute.jpg": b"1", "b/two.jpg": b"2"}


@pytest.mark.parametrize("name", ["self", "one/other"])
def test_circles_end(name: str) -> None:
    folder = images()
    one, _, other = name.partition("/")
    (folder / one).mkdir(exist_ok=True)
    (folder / one / "x").symlink_to("y" if other else "x")
    if other:
        (folder / one / "y").symlink_to("x")
    assert "found a broken link or a device" in refusal(folder)


@pytest.mark.parametrize("link", ["a/shut.jpg", "shut"])
@pytest.mark.parametrize("target", ["x" * 300, "../secret", "/srv/secret"])
def test_what_the_system_does_not_follow_is_told(link: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link into what this user may not enter, or to a name that no file system has."""
    folder, stat = images(), os.stat
    (folder / link).symlink_to(target)

    def refuse(path: Path | str, **options: bool) -> os.stat_result:
        if Path(path).name.startswith("shut") and options.get("follow_symlinks", True) and len(target) < 300:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refuse)
    assert f"{link}: " in refusal(folder)
    with members(folder, anywhere=True) as found:
        assert {one.name: one.problem for one in found} == {
            "a/one.jpg": "",
            "b/two.jpg": "",
            link: "expected a file or a folder, found a broken link or a device",
        }


def test_a_folder_that_one_may_not_enter_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path | str, **_: bool) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(UserError, match="images: expected to be allowed to read it"), members(Path("/srv/images")):
        pass


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    folder = images()
    os.mkfifo(folder / "a" / "pipe.jpg")
    assert "a/pipe.jpg: expected a file or a folder" in refusal(folder)
    (folder / "a" / "pipe.jpg").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("folder/a/s.jpg")
        assert "a/s.jpg: expected a file or a folder" in refusal(folder)
    (folder / "a" / "s.jpg").unlink()
    (folder / "a" / "null.jpg").symlink_to("/dev/null")
    assert "a/null.jpg: a link that leads out" in refusal(folder)


def test_there_is_an_end_to_how_many_and_how_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = images()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "MOST", 3)
        assert "expected at most 3 files and folders" in refusal(folder)
    place = os.open(folder / "a", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=place)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    with pytest.raises(UserError, match=r"^[^\n]{,300}(too long|at most 1024 bytes)$"):
        read(folder)


@pytest.mark.parametrize("change", ["grows", "written", "shrinks", "link", "pipe", "gone"])
def test_what_changes_while_it_is_read_is_told(change: str) -> None:
    folder = images()
    file = folder / "a" / "one.jpg"
    with members(folder) as found:
        member = next(member for member in found if member.name == "a/one.jpg")
        if change in ("link", "pipe", "gone"):
            file.unlink()
            if change == "link":
                file.symlink_to(Path("secret/key.jpg").resolve())
            elif change == "pipe":
                os.mkfifo(file)
        with pytest.raises(UserError, match=r"a/one\.jpg: (changed while it was read|a link that leads out)"):
            _read_while(member, file, change)


def _read_while(member, file: Path, change: str) -> None:
    done = threading.Timer(20, os._exit, [1])  # a pipe that is waited for would never end
    done.start()
    try:
        with member.opened() as opened:
            opened.read()
            if change == "grows":
                with file.open("ab") as more:
                    more.write(b"more")
            elif change == "shrinks":
                os.truncate(file, 0)
            else:
                file.write_bytes(b"3")
                os.utime(file, ns=(1, 1))
    finally:
        done.cancel()

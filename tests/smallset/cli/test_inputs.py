"""Which files `smallset predict` takes: folders, patterns, lists of any length, whatever their names."""

import io
import os
import sys
from pathlib import Path

import pytest

from smallset.cli import inputs, lists
from smallset.errors import UserError


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder of images, and of what lies among them."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a [1].jpg", "deeper/c.png", "deeper/@eaDir/c.png", "notes.txt", ".DS_Store"):
        file = tmp_path / "album" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path


def gathered(
    words: list[str], null: bool = False, target: Path | None = None
) -> tuple[list[str], list[str], int | None]:
    """The paths, what was said, and the number that was announced."""
    said: list[str] = []
    found = inputs.gather(words, null, [target], lambda path, why: said.append(f"{path}: {why}"), said.append)
    return list(found.paths), said, found.total


def pipe(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


ALBUM = ["album/a [1].jpg", "album/b.jpg", "album/deeper/c.png"]


@pytest.mark.usefixtures("place")
def test_a_folder_gives_its_images_sorted_and_says_what_is_none():
    paths, said, total = gathered(["album", "album/b.jpg"])
    assert paths == [*ALBUM, "album/b.jpg"]
    assert total == 4
    assert said == [
        "album: 3 are no images by their names: 1 .DS_Store, 1 in @eaDir, 1 .txt: .DS_Store, deeper/@eaDir/, notes.txt"
    ]


@pytest.mark.usefixtures("place")
def test_a_pattern_is_expanded_unless_a_file_is_called_so():
    assert gathered(["album/**/*.*"])[:2] == (
        ALBUM,
        ["album/**/*.*: 2 are no images by their names: 1 in @eaDir, 1 .txt: deeper/@eaDir/c.png, notes.txt"],
    )
    assert gathered(["album/a [1].jpg"])[0] == ["album/a [1].jpg"]
    for word in ("album/*.gif", "nowhere.jpg", "x" * 5000):
        with pytest.raises(UserError, match="expected an image or a folder, found nothing"):
            gathered([word])


def test_each_folder_is_looked_into_once_and_links_may_lead_anywhere(place):
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "d.jpg").write_bytes(b"x")
    (place / "album" / "out").symlink_to(place / "elsewhere")
    (place / "album" / "deeper" / "around").symlink_to(place / "album")
    (place / "album" / "gone.jpg").symlink_to("nothing")
    paths, said, _ = gathered(["album"])
    assert paths == [*ALBUM, "album/out/d.jpg"]
    told = "\n".join(said)
    assert "album/deeper/around: is, through a link, a folder that is looked into already" in told
    assert "album/gone.jpg: No such file or directory" in told


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("null", [False, True])
def test_paths_come_from_standard_input(monkeypatch, null):
    end = b"\0" if null else b"\r\n"
    pipe(monkeypatch, end.join([*map(os.fsencode, ALBUM), b"", b"gone.jpg", b"/dev/zero"]) + end)
    paths, said, total = gathered(["-"], null)
    assert (paths, total) == (ALBUM, None)
    assert said == ["gone.jpg: No such file or directory", "/dev/zero: expected a file, found something else"]


def test_any_number_of_lines_is_read_as_it_is_asked_for_and_a_line_has_a_limit():
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"some/path.jpg\n" * 1000

    found = lists.lines(Endless(), b"\n")
    assert [next(found) for _ in range(5000)] == ["some/path.jpg"] * 5000
    with pytest.raises(
        UserError, match=r"standard input: expected paths, one a line, .*-0: found one of more than 65,536"
    ):
        list(lists.lines(io.BytesIO(b"x" * (1 << 20)), b"\n"))
    for content in (b"a.jpg\0b.jpg\0", b"\xff\xd8\xff\xe0\0\x10JFIF\n", "a.jpg\n".encode("utf-16")):
        with pytest.raises(UserError, match=r"-0: found a null byte in a line, as in an image"):
            list(lists.lines(io.BytesIO(content), b"\n"))
    assert list(lists.lines(io.BytesIO(b"\xef\xbb\xbfa.jpg\nb.jpg"), b"\n")) == ["a.jpg", "b.jpg"]
    names = [f"{number}.jpg" for number in range(50_000)]
    assert list(lists.lines(io.BytesIO("\n".join(names).encode()), b"\n")) == names
    assert list(lists.lines(io.BytesIO(b""), b"\n")) == []


@pytest.mark.usefixtures("place")
def test_a_table_has_paths_in_a_column():
    Path("list.csv").write_text(
        '\ufefflabel,path\n1,"album/a [1].jpg"\n\n2,album/b.jpg\n3,"with\0null"\n', encoding="utf-8"
    )
    paths, said, total = gathered(["list.csv"])
    assert (paths, total) == (ALBUM[:2], 3)
    assert said[0].endswith("expected a path: embedded null byte")
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"path": [*ALBUM[:2], None], "n": [1, 2, 3]}), "list.parquet")
    paths, said, total = gathered(["list.parquet"])
    assert (paths, total, len(said)) == (ALBUM[:2], 3, 1)
    parquet.write_table(pyarrow.table({"path": [1]}), "numbers.parquet")
    Path("broken.parquet").write_bytes(b"PAR1 no table PAR1")
    Path("names.csv").write_text("name,path\na,b,c\n")
    Path("other.csv").write_text("file\na.jpg\n")
    Path("twice.csv").write_text("path,path\na.jpg,b.jpg\n")
    Path("latin.csv").write_bytes(b"path\ncaf\xe9.jpg\n")
    Path("empty.csv").touch()
    for name, reason in {
        "numbers.parquet": "expected text, found int64",
        "broken.parquet": "expected a Parquet table",
        "names.csv": "line 2: expected 2 cells, found 3",
        "other.csv": "expected one column path in its first row, found: file",
        "twice.csv": "expected one column path",
        "latin.csv": "in UTF-8",
        "empty.csv": "found: nothing",
    }.items():
        with pytest.raises(UserError, match=f"{name}.*{reason}") as caught:
            gathered([name])
        assert "\n" not in str(caught.value)


def test_a_name_that_no_table_can_have_is_left_out(place):
    name = os.fsdecode(b"caf\xe9.png")
    (place / "album" / name).touch()
    paths, said, _ = gathered(["album"])
    assert paths == ALBUM
    assert said[1] == f"album/{name}: expected the name of a file in UTF-8: rename it"


def test_no_image_is_written_over(place, monkeypatch):
    (place / "link.csv").symlink_to("album/b.jpg")
    for words in (["album"], ["album/b.jpg"], ["album/*.jpg"]):
        with pytest.raises(UserError, match=r"album/b\.jpg: is read, and would be written over"):
            gathered(words, target=place / "link.csv")
    (place / "list.csv").write_text("path\nalbum/b.jpg\n")
    with pytest.raises(UserError, match=r"list\.csv: is read, and would be written over"):
        gathered(["list.csv"], target=place / "list.csv")
    pipe(monkeypatch, b"album/b.jpg\n")
    with pytest.raises(UserError, match="would be written over"):
        gathered(["-"], target=place / "album" / "b.jpg")

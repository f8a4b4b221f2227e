"""`flows.project.whole_file`: whole or not at all."""

from pathlib import Path

import pytest

from flows.project.whole_file import write_whole


def test_a_folder_that_is_missing_is_made_and_what_is_there_is_replaced(tmp_path):
    file = tmp_path / "new" / "run.json"
    for text in ("one\n", "two\n"):
        write_whole(file, text)
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, monkeypatch):
    file = tmp_path / "run.json"
    write_whole(file, "one\n")

    def full(place: Path, text: str, **options) -> None:
        place.write_bytes(text.encode()[:2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        write_whole(file, "two\n")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("run.json", b"one\n")]

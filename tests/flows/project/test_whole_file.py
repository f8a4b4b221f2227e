"""`flows.project.whole_file`: whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
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


def test_what_others_may_do_with_a_file_stays_as_it_was(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("one\n")
    file.chmod(0o600)
    write_whole(file, "two\n")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("two\n", 0o600)


def test_a_file_system_without_permissions_takes_files_all_the_same(tmp_path, monkeypatch):
    file = tmp_path / "params.yaml"
    file.write_text("one\n")

    def refused(*_) -> None:
        raise PermissionError("no such thing here")

    monkeypatch.setattr("os.chmod", refused)
    write_whole(file, "two\n")
    assert file.read_text() == "two\n"


def test_what_a_link_leads_to_is_not_written(tmp_path):
    other, link = tmp_path / "other", tmp_path / "run.json"
    other.write_text("another's\n")
    link.symlink_to(other)
    write_whole(link, "two\n")
    assert (link.read_text(), link.is_symlink(), other.read_text()) == ("two\n", False, "another's\n")


def test_threads_that_write_one_file_at_once_leave_the_text_of_one_of_them(tmp_path):
    file, texts = tmp_path / "run.json", [letter * 20_000 for letter in "abcdefgh"]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            list(pool.map(lambda text: write_whole(file, text), texts))
            assert file.read_text() in texts
    assert list(tmp_path.iterdir()) == [file]

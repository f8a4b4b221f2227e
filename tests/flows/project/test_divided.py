"""`flows.project.divided`: what `split` has counted."""

import pytest

from flows.project import divided


@pytest.mark.parametrize("content", [None, "", '{"train": {"cat"', "[1]"])
def test_without_counts_nothing_is_divided(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        divided.SPLIT.parent.mkdir()
        divided.SPLIT.write_text(content)
    assert divided.images_of_subsets() == {}


def test_subsets_are_counted_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    divided.SPLIT.parent.mkdir()
    divided.SPLIT.write_text('{"train": {"cat": 2, "dog": 3}, "test": {"cat": 1}, "unused": 7}')
    assert divided.images_of_subsets() == {"train": 5, "test": 1}
    assert divided.read_split()["unused"] == 7

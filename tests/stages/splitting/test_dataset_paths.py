"""Every image has a path of its own, with a name that every file system takes."""

import unicodedata
from pathlib import PurePosixPath

import pytest

from stages.lib.splitting.dataset_paths import dataset_paths


def paths(*names: str, checksums: list[str] | None = None) -> list[str]:
    """Paths of files in one folder; each is checked for what holds of all."""
    digests = checksums or [f"{7919 * place:064x}"[::-1] for place in range(len(names))]
    found = dataset_paths(["train/cat"] * len(names), names, digests)
    assert len({unicodedata.normalize("NFC", path.casefold()) for path in found}) == len(names)
    for path, name in zip(found, names, strict=True):
        assert path.startswith("train/cat/")
        assert 0 < len(PurePosixPath(path).name.encode()) <= 255
        assert PurePosixPath(path).suffix == PurePosixPath(name).suffix or len(PurePosixPath(name).suffix) > 31
    return [path.removeprefix("train/cat/") for path in found]


def test_different_names_stay() -> None:
    assert paths("a.jpg", "b.jpg", "a.png") == ["a.jpg", "b.jpg", "a.png"]
    assert dataset_paths(["train/a", "test/a"], ["1.jpg", "1.jpg"], ["x", "y"]) == ["train/a/1.jpg", "test/a/1.jpg"]


def test_equal_names_get_part_of_their_checksum() -> None:
    assert paths("1.jpg", "1.JPG", "2.jpg", checksums=["a" * 64, "b" * 64, "c" * 64]) == [
        f"1-{'a' * 12}.jpg",
        f"1-{'b' * 12}.JPG",
        "2.jpg",
    ]


@pytest.mark.parametrize("length", [230, 239, 240, 250, 255])
@pytest.mark.parametrize("letter", ["a", "ä", "猫", "🐈"])
@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", "", ".with a very long end that is no suffix of an image"])
def test_equal_names_of_any_length(length: int, letter: str, suffix: str) -> None:
    stem = letter * ((length - len(suffix)) // len(letter.encode()))
    found = paths(*[stem + suffix] * 3, stem + suffix.upper())
    assert all(name.startswith(letter * 10) for name in found)


def test_a_name_that_is_another_ones_after_renaming() -> None:
    mark = "a" * 12
    found = paths(
        "1.jpg", "1.jpg", f"1-{mark}.jpg", f"1-{mark}-2.JPG", checksums=["a" * 64, "b" * 64, "c" * 64, "d" * 64]
    )
    assert found[2:] == [f"1-{mark}.jpg", f"1-{mark}-2.JPG"]
    assert found[0] == f"1-{mark}-3.jpg"


def test_checksums_that_begin_alike() -> None:
    assert paths("1.jpg", "1.jpg", checksums=["0" * 63 + "1", "0" * 63 + "2"])[1] == f"1-{'0' * 12}-2.jpg"


def test_the_two_forms_of_unicode_are_one_name() -> None:
    assert len(set(paths("\u00e4.jpg", "a\u0308.jpg", "A\u0308.jpg"))) == 3

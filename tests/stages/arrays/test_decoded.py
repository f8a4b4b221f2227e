"""Decoded images make the same batches in memory and in a file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.lib.arrays import decoded, rows
from stages.lib.arrays.decoded import decode_all
from stages.lib.arrays.rows import Rows
from stages.lib.core.params import AugmentationParams
from stages.lib.images.decode import BrokenImage
from stages.lib.images.resizing import STRETCH
from stages.lib.training import batches


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).save(path)
    return paths


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MEMORY_BUDGET", 100)
    monkeypatch.setattr(decoded, "_CHUNK", 4)


def test_in_memory_no_file_is_written(files: list[Path], tmp_path: Path) -> None:
    images = decode_all(files, 8, "grey", tmp_path / "overflow.npy", STRETCH)
    assert images.shape == (10, 8, 8, 1)
    assert not (tmp_path / "overflow.npy").exists()


def test_batches_are_the_same_from_a_file(
    files: list[Path], tmp_path: Path, variation: AugmentationParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)
    monkeypatch.setattr(rows, "MEMORY_BUDGET", 100)
    monkeypatch.setattr(decoded, "_CHUNK", 4)
    in_file = decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)
    assert isinstance(in_memory, np.ndarray)
    assert isinstance(in_file, Rows)
    labels = np.arange(10)
    every = [
        [*batches.training_batches(one, labels, 4, 1, range(2), variation), *batches.validation_batches(one, labels, 4)]
        for one in (in_memory, in_file)
    ]
    for (images, places), (others, other_places) in zip(*every, strict=True):
        np.testing.assert_array_equal(images, others)
        np.testing.assert_array_equal(places, other_places)


@pytest.mark.usefixtures("small_budget")
def test_a_training_that_goes_on_does_not_decode_again(files: list[Path], tmp_path: Path) -> None:
    first = decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)
    for file in files:
        file.unlink()
    again = decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)
    np.testing.assert_array_equal(again[np.arange(10)], first[np.arange(10)])


@pytest.mark.usefixtures("small_budget")
def test_an_interrupted_file_is_not_taken_for_a_whole_one(files: list[Path], tmp_path: Path) -> None:
    content = files[7].read_bytes()
    files[7].write_bytes(b"broken")
    with pytest.raises(BrokenImage, match=r"7\.png: not an image"):
        decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)
    assert not list(tmp_path.glob("*overflow*"))
    files[7].write_bytes(content)
    assert len(decode_all(files, 8, "rgb", tmp_path / "overflow.npy", STRETCH)) == 10

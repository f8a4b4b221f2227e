"""The cache of features: several subsets are read as one, image by image."""

from pathlib import Path

import numpy as np
import pytest

from stages.lib.arrays import feature_files
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import Subset, SubsetName


def images_of(names: list[str]) -> Subset:
    return Subset([Path(name) for name in names], names, [], np.arange(len(names)), ["a", "b", "c"])


def write(folder: Path, subset: SubsetName, mirrored: bool) -> np.ndarray:
    images = images_of([f"{subset}/{index}.png" for index in range(3)])
    vectors = np.random.default_rng(len(subset)).random((3, 2), np.float32)
    feature_files.write(folder, subset, images, 2, [vectors], [-vectors] if mirrored else None)
    return vectors


def test_mirrored_images_are_there_for_every_image_or_for_none(tmp_path: Path) -> None:
    first, second = write(tmp_path, "train", True), write(tmp_path, "validation", True)
    both = feature_files.read_all(tmp_path, ["train", "validation"])
    np.testing.assert_array_equal(both.vectors[:], np.concatenate([first, second]))
    assert both.mirrored is not None
    np.testing.assert_array_equal(both.mirrored[:], -both.vectors[:])
    write(tmp_path, "test", False)
    for order in (["test", "train"], ["train", "test"]):
        assert feature_files.read_all(tmp_path, order).mirrored is None


def test_features_of_other_images_are_not_taken_over(tmp_path: Path) -> None:
    """Of the same in another order neither: each would have the vector of another one."""
    write(tmp_path, "train", False)
    for names in (["train/0.png", "train/2.png"], ["train/1.png", "train/0.png", "train/2.png"]):
        with pytest.raises(UserError, match=r"expected features of the train images as they are now"):
            feature_files.take_over(tmp_path, "train", images_of(names), tmp_path)

"""Which images are cross-validated."""

from pathlib import Path

import numpy as np

from stages.lib.arrays import feature_files
from stages.lib.images.manifest import SUBSETS, Subset
from stages.lib.resampling.images import LEAST, read_images


def features(folder: Path, labels: np.ndarray, classes: list[str]) -> None:
    """Images in turns in the three subsets, named by their number."""
    for place, subset in enumerate(SUBSETS):
        own = np.flatnonzero(np.arange(len(labels)) % 3 == place)
        names = [str(number) for number in own]
        images = Subset([Path(name) for name in names], names, ["0"] * len(own), labels[own], classes)
        feature_files.write(
            folder, subset, images, 1, *([each[:, np.newaxis].astype(np.float32)] for each in (own, -own))
        )
    feature_files.write_about(folder, classes, "float32")


def test_drawing_leaves_enough_different_images_of_a_class_that_is_nearly_all_copies(tmp_path: Path) -> None:
    labels = np.repeat([0, 1, 2], [42, 60, 2])
    features(tmp_path, labels, ["copies", "many", "few"])
    groups = np.where(labels == 0, np.maximum(np.arange(104), 39), np.arange(104))
    for seed in range(5):
        found = read_images(tmp_path, lambda names: groups[[int(name) for name in names]], 40, seed)
        assert (found.classes, found.left_out, found.of) == (["copies", "many"], ["few"], 102)
        assert len(found.labels) == 40
        assert all(len(set(found.groups[found.labels == label])) >= LEAST for label in (0, 1))
        numbers = found.vectors[np.arange(40)][:, 0].astype(int)
        assert (found.labels == labels[numbers]).all()
        assert (found.groups == groups[numbers]).all()
        assert found.mirrored is not None
        assert (found.mirrored[np.arange(40)][:, 0] == -numbers).all()

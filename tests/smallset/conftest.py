"""A bundle of a tiny model."""

from pathlib import Path

import pytest

from smallset.images.resizing import Resizing

CLASSES = ["apple", "pear", "plum | green"]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three classes, whose images are cropped."""
    return make_bundle(tmp_path_factory.mktemp("bundle"))


def make_bundle(folder: Path) -> Path:
    """Write one below a folder."""
    import keras

    from stages.lib.core.params import CommonParams
    from stages.lib.networks import build
    from tests.stages.bundle_inputs import run, write_inputs

    keras.utils.set_random_seed(0)
    common = CommonParams(
        seed=3, deterministic=False, image_size=32, batch_size=8, resize="crop", interpolation="bicubic"
    )
    model = build.convnet(32, "rgb", [4, 8], True, 0.25, len(CLASSES))
    return run(write_inputs(folder, model, CLASSES, Resizing("crop", "bicubic")), common)

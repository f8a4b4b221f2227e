"""Tiny images and a tiny backbone, made through the same save and load paths as real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.lib.core.params import AugmentationParams, CommonParams

SIZE = 32
COUNTS = {"train": 12, "validation": 6, "test": 6}


@pytest.fixture(autouse=True)
def same_weights_each_time() -> None:
    """Networks built in a test start from the same weights in every run."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory of the test's own: stages keep what is not finished below it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def common() -> CommonParams:
    return CommonParams(
        seed=3, deterministic=False, image_size=SIZE, batch_size=8, resize="stretch", interpolation="bilinear"
    )


@pytest.fixture(scope="session")
def variation() -> AugmentationParams:
    return AugmentationParams(flip=True, rotation=0.1, zoom=0.2)


def write_dataset(folder: Path, classes: list[str]) -> tuple[Path, Path]:
    """Images whose colour tells their class, with noise; returns the dataset and its manifest."""
    rng = np.random.default_rng(0)
    rows = []
    for label, name in enumerate(classes):
        for subset, count in COUNTS.items():
            for index in range(count):
                path = f"{subset}/{name}/{index}.png"
                file = folder / "dataset" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 120, (SIZE, SIZE + 4, 3), np.uint8)
                pixels[..., label % 3] += 100
                Image.fromarray(pixels).save(file)
                rows.append({"path": path, "class": name, "subset": subset, "group": "", "sha256": f"{name}{index}"})
    manifest = folder / "manifest.csv"
    pd.DataFrame(rows).sort_values("path").to_csv(manifest, index=False)
    copies = ["group", "path", "class", "kind", "distance", "action"]
    pd.DataFrame(columns=copies).to_csv(folder / "duplicates.csv", index=False)
    return folder / "dataset", manifest


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_dataset(tmp_path_factory.mktemp("two"), ["cat", "dog"])


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_dataset(tmp_path_factory.mktemp("three"), ["apple", "pear", "plum"])


@pytest.fixture(scope="session")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A KerasHub preset directory with a tiny random backbone, batch normalisation and a scaling of its own."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("preset") / "tiny"
    backbone = keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0] * 2,
        stackwise_depth_coefficients=[1.0] * 2,
        stackwise_kernel_sizes=[3] * 2,
        stackwise_num_repeats=[1] * 2,
        stackwise_input_filters=[8] * 2,
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 2],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.25] * 2,
        stackwise_block_types=["v1"] * 2,
        stackwise_force_input_filters=[False] * 2,
        stackwise_nores_option=[False] * 2,
        min_depth=8,
        include_stem_padding=True,
        use_depth_divisor_as_min_depth=True,
        cap_round_filter_decrease=True,
        stem_conv_padding="valid",
        batch_norm_momentum=0.9,
        batch_norm_epsilon=1e-3,
        dropout=0.0,
        activation="swish",
        input_shape=(None, None, 3),
    )
    # Statistics of images rather than zeros and ones, so that a change of them would show.
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(keras.random.normal(layer.moving_mean.shape) * 0.1)
    backbone.save_to_preset(str(folder))
    keras_hub.layers.ImageConverter(image_size=(SIZE, SIZE), scale=1 / 127.5, offset=-1.0).save_to_preset(str(folder))
    return folder


@pytest.fixture
def runs(tmp_path: Path):
    """Write both runs and compare them as v1 and now."""
    # Not for every test: the statistics behind it take a second to load.
    from stages.compare import compare
    from tests.stages.compared_runs import write_run

    def compared(before: dict, after: dict, recommended=("fine_tuned", "fine_tuned")):
        write_run(tmp_path / "before", before, recommended[0])
        write_run(tmp_path / "after", after, recommended[1])
        return compare(tmp_path / "before", tmp_path / "after", "v1", "now")

    return compared

"""Which formats each class of backbone becomes: a file gives what Keras gives, and a converter that fails says why."""

import keras_hub
import numpy as np
import pytest

from stages.lib.export.formats import FORMATS_BY_NAME, convert, with_all_classes
from stages.lib.export.runtimes import cannot_run, load
from stages.lib.networks import build, pooling_file
from stages.lib.pretrained import presets
from tests.stages.every_backbone import EVERY
from tests.stages.families import SIDE

IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_what_is_written_gives_what_keras_gives(name, tmp_path):
    """`-s` shows the row."""
    raw, preset = tmp_path / "raw", tmp_path / "preset"
    for folder in (raw, preset):
        folder.mkdir()
    presets.save((EVERY[name](), keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0)), raw)
    presets.save(presets.for_size(presets.load(str(raw)), SIDE), preset)
    pooling_file.write(preset, "mean")
    model = with_all_classes(build.transfer_model(preset, build.head_layers(8, "relu", 0.0, 3), SIDE, "float32"))
    expected = model(IMAGES, training=False).numpy()
    row = {}
    for form in ("onnx", "litert", "litert_int8", "saved_model"):
        path = tmp_path / FORMATS_BY_NAME[form].file
        reason = convert(form, model, path, IMAGES) or cannot_run(form, path, IMAGES)
        row[form] = reason or "yes"
        if reason is None:
            # Of 8 bits the probabilities are about these, where three images choose the ranges of random weights.
            np.testing.assert_allclose(load(form, path)(IMAGES), expected, atol=0.2 if form == "litert_int8" else 1e-4)
        else:
            assert "\n" not in reason
    print(name, row)

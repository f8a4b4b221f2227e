"""The largest seed that `common.seed` takes works wherever numbers are drawn."""

import numpy as np
import pytest

from stages.lib.confident_learning import out_of_sample
from stages.lib.core.params import AugmentationParams
from stages.lib.drawing.sample import draw_set
from stages.lib.pretrained.pretraining import pretrain
from stages.scratch import scratch
from tests.stages.model_runs import TRAINING, scratch_params

SEED = 2**31 - 1

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_a_training_with_dropout_and_variation(two_classes, common, tmp_path):
    variation = AugmentationParams(flip=True, rotation=0.1, zoom=0.2)
    params = scratch_params(**(TRAINING | {"epochs": 1}), augmentation=variation, dropout=0.5)
    largest = common.model_copy(update={"seed": SEED})
    scratch(*two_classes, tmp_path / "scratch", largest, params, "scratch")
    assert (tmp_path / "scratch" / "augmented.png").is_file()


def test_drawings_and_a_backbone_of_them():
    images, labels = draw_set(("cat", "dog"), 2, 32, SEED)
    assert pretrain(images, labels, 1, 0.001, 2, SEED).count_params()


def test_folds_of_the_labels():
    vectors = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    found = out_of_sample(vectors, np.arange(12) % 2, np.arange(12), 3, SEED)
    assert np.isfinite(found).all()

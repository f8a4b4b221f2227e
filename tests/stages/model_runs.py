"""Runs of the model stages with small parameters, and what they left."""

import json
from pathlib import Path

import keras
import numpy as np

from stages.feature_extraction import FeatureExtractionParams, feature_extraction
from stages.feature_extraction_augmented import FeatureExtractionAugmentedParams, feature_extraction_augmented
from stages.features import FeaturesParams, features
from stages.fine_tuned import FineTunedParams, fine_tuned
from stages.lib.core.params import AugmentationParams, CommonParams
from stages.scratch import ScratchParams, scratch

TRAINING = {
    "enabled": True,
    "epochs": 2,
    "learning_rate": 0.01,
    "schedule": "constant",
    "min_steps": None,
    "early_stopping": None,
    "class_weights": None,
    "mirror": False,
}
# The published way of fine-tuning, as in profile dogs_vs_cats.
PUBLISHED = {
    "start": "feature_extraction_augmented",
    "min_images": None,
    "unfreeze": "all",
    "lora": None,
    "optimizer": "adam",
    "weight_decay": 0.0,
    "warmup": 0.0,
    "layer_decay": 1.0,
    "averaged_epochs": None,
    "moved": 1.0,
    "keep": "best",
}
HEAD = {"units": 8, "activation": "relu", "dropout": 0.25}


def tables_of(features: Path, dataset: tuple[Path, Path]) -> tuple[Path, Path, Path]:
    """What a head on cached features reads: the features, the manifest and the table of copies."""
    return features, dataset[1], dataset[1].with_name("duplicates.csv")


def scratch_params(**changes: object) -> ScratchParams:
    values = TRAINING | {
        "color": "rgb",
        "filters": [4, 8],
        "pooling": True,
        "dropout": 0.0,
        "augmentation": None,
        "precision": "float32",
    }
    return ScratchParams.model_validate(values | changes)


def run_stages(
    folder: Path,
    dataset: tuple[Path, Path],
    preset: Path,
    common: CommonParams,
    variation: AugmentationParams,
    precision: str,
    pretrained_only: bool = False,
) -> None:
    """Run every stage that makes a model, each as in a process of its own: Keras numbers the layers of a process."""

    varied = TRAINING | {"augmentation": variation, "precision": precision}
    vectors, start = folder / "features", folder / "feature_extraction_augmented"
    images = FeaturesParams.model_validate({"enabled": True, "batch_size": 7, "precision": precision, "mirror": False})
    cached = FeatureExtractionParams.model_validate(TRAINING | HEAD | {"head": "mlp"})
    end_to_end = FeatureExtractionAugmentedParams.model_validate(varied | HEAD)
    gentle = FineTunedParams.model_validate(varied | PUBLISHED)
    nothing = scratch_params(precision=precision, dropout=0.25, augmentation=variation)
    for stage in (
        lambda: scratch(*dataset, folder / "scratch", common, nothing, "scratch"),
        lambda: features(*dataset, preset, folder / "none", vectors, common, images),
        lambda: feature_extraction(*tables_of(vectors, dataset), preset, folder / "feature_extraction", common, cached),
        lambda: feature_extraction_augmented(*dataset, vectors, preset, start, common, end_to_end),
        lambda: fine_tuned(*dataset, folder / "feature_extraction", start, folder / "fine_tuned", common, gentle),
    )[int(pretrained_only) :]:
        keras.utils.clear_session()
        stage()


def load(folder: Path):
    from stages.lib.networks.saved_model import load

    return load(folder / "model.keras")


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def backbone_weights(model) -> dict[str, np.ndarray]:
    from stages.lib.networks.build import backbone_of

    return {weight.path: weight.numpy() for weight in backbone_of(model).weights}

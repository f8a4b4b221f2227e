"""The sections of params.yaml of the stages that make features and models."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from smallset.images.choices import Color
from stages.lib.core.params import (
    AskedPrecision,
    HeadParams,
    ImageTrainingParams,
    Params,
    Pooling,
    TrainingParams,
    or_word,
)


class PretrainingParams(Params):
    """How the backbone of `preset: sample` is made.

    Attributes:
        images_per_class: drawn of each animal.
        learning_rate: the highest of the schedule.
    """

    images_per_class: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]


# Presets that are names of this project: the backbone of drawings, and whichever suits the images.
SAMPLE, AUTO_PRESET = "sample", "auto"
# Where the candidates lie, in their order: each slot is a stage of its own (`candidate_features` in dvc.yaml).
SLOTS = ("first", "second", "third", "fourth")


def _candidates(names: list[str | None]) -> list[str | None]:
    asked = [name for name in names if name is not None]
    if len(names) > len(SLOTS):
        raise ValueError(f"expected at most {len(SLOTS)} presets, found {len(names)}")
    if len(set(asked)) < len(asked):
        raise ValueError("expected each preset once")
    if own := [name for name in asked if name in (SAMPLE, AUTO_PRESET)]:
        raise ValueError(f"expected presets of KerasHub, by name, handle or directory; {own[0]} is for backbone.preset")
    return names


class BackboneParams(Params):
    """Section `backbone`.

    Attributes:
        preset: `auto`, `sample`, a preset directory, or a name or handle that KerasHub knows.
        candidates: presets of which the best is taken in place of `preset`; None keeps the places of those after it.
        pooling: how what the backbone gives becomes one vector; "cls" and "both" need a class token.
    """

    enabled: bool
    preset: Annotated[str, Field(min_length=1)]
    candidates: Annotated[list[Annotated[str, Field(min_length=1)] | None], AfterValidator(_candidates)]
    pooling: Pooling
    pretraining: PretrainingParams


class FeaturesParams(Params):
    """Section `features`.

    Attributes:
        batch_size: images per forward pass.
        precision: "auto" takes what is clearly faster on this machine.
        mirror: whether the mirrored images get features too.
    """

    enabled: bool
    batch_size: Annotated[int, Field(ge=1)]
    precision: AskedPrecision
    mirror: bool


class ScratchParams(ImageTrainingParams):
    """Sections `scratch` and `scratch_augmented`: the convnet and its training.

    Attributes:
        filters: of each 3 x 3 convolution.
        pooling: 2 x 2 max pooling between them.
        dropout: before the classifier.
    """

    color: Color
    filters: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    pooling: bool
    dropout: Annotated[float, Field(ge=0, lt=1)]


class FeatureExtractionParams(TrainingParams, HeadParams):
    """Section `feature_extraction`: the head and its training.

    Attributes:
        head: "logistic" is fitted, and of what follows only `class_weights` and `mirror` concern it; "mlp" is trained;
            "auto" takes what cross-validation on the training images says.
    """

    head: Literal["auto", "logistic", "mlp"]


class FeatureExtractionAugmentedParams(ImageTrainingParams, HeadParams):
    """Section `feature_extraction_augmented`: the head and its training."""


class FineTunedParams(ImageTrainingParams):
    """Section `fine_tuned`: from where on, how much of the backbone trains, and how.

    Attributes:
        start: the model that is trained on.
        min_images: training images that every class needs; with fewer, nothing is trained. None: any number will do.
        unfreeze: "all", or a number counted from the output of the backbone: of blocks in a transformer, whose
            embeddings then stay as they are, else of layers with weights. Batch normalisation never trains.
        lora: rank of the matrices that train instead of kernels (`networks.lora`); None trains the kernels.
        optimizer: "adamw" lets kernels decay.
        weight_decay: share of the learning rate by which they do in each step.
        warmup: share of the steps in which the learning rate grows from 0.
        layer_decay: learning rate of the first layer as a share of that of the head; those between lie on a geometric
            scale. 1 makes no difference.
        averaged_epochs: epochs over which the kept weights are averaged; None keeps them as they are.
        moved: how far from the weights before the training to those after it the kept ones lie.
        keep: "best" is the epoch with the lowest validation loss.
    """

    start: Literal["feature_extraction", "feature_extraction_augmented"]
    min_images: Annotated[int, Field(ge=1)] | None
    unfreeze: Annotated[int, Field(ge=1), or_word("all")]
    lora: Annotated[int, Field(ge=1)] | None
    optimizer: Literal["adam", "adamw"]
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Annotated[float, Field(ge=0, lt=1)]
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    averaged_epochs: Annotated[int, Field(ge=1)] | None
    moved: Annotated[float, Field(gt=0, le=1)]
    keep: Literal["best", "last"]

    @model_validator(mode="after")
    def _agree(self) -> "FineTunedParams":
        if self.weight_decay and self.optimizer == "adam":
            raise ValueError(
                f"expected weight_decay 0 with optimizer: adam, or optimizer: adamw. Received: {self.weight_decay}"
            )
        if self.early_stopping is not None and self.keep == "last":
            raise ValueError(
                "expected early_stopping null with keep: last, which trains to the end, or keep: best. "
                f"Received: {self.early_stopping}"
            )
        return self


Refit = Literal["none", "validation", "all"]


class ClassifierParams(Params):
    """Section `classifier`.

    Attributes:
        refit: on which images the head of `feature_extraction`, where it is recommended, is trained again before it is
            deployed; "none" deploys what was measured.
    """

    refit: Refit

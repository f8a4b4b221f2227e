"""The section of params.yaml of every stage as a model, in one table; `section_checks` checks them together.

`data_sections` and `model_sections` have the larger ones.
"""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from stages.lib.core.data_sections import AUTO, DownloadParams, SplitParams
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.model_sections import (
    BackboneParams,
    ClassifierParams,
    FeatureExtractionAugmentedParams,
    FeatureExtractionParams,
    FeaturesParams,
    FineTunedParams,
    ScratchParams,
)
from stages.lib.core.params import CommonParams, Params, or_word
from stages.lib.core.versions import VersionsParams


class EvaluateParams(Params):
    """Section `evaluate`.

    Attributes:
        batch_size: images per forward pass.
        explained: right images, and as many wrong ones, whose evidence is shown.
    """

    batch_size: Annotated[int, Field(ge=1)]
    explained: Annotated[int, Field(ge=0)]


class LabelIssuesParams(Params):
    """Section `label_issues`.

    Attributes:
        folds: parts that the images are divided into; each is judged by a model trained on the others.
        threshold: normalized margin up to which an image is named: of two classes the probability of the labelled one.
    """

    enabled: bool
    folds: Annotated[int, Field(ge=2)]
    threshold: Annotated[float, Field(gt=0, lt=0.5)]


class CrossValidationParams(Params):
    """Section `cross_validation`.

    Attributes:
        folds: parts that the images are divided into; each is judged by heads trained on the others.
        repeats: how often, each time divided otherwise; "auto": more often with fewer images.
        images: that take part at most.
    """

    enabled: bool
    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1), or_word(AUTO)]
    images: Annotated[int, Field(ge=100)]


class ReportParams(Params):
    """Section `report`.

    Attributes:
        worst: most confidently wrong images shown of each model.
    """

    worst: Annotated[int, Field(ge=0)]


def _least(value: object) -> float | str:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if not (number or value == AUTO):
        raise ValueError("expected a share from 0 to 1, or auto")
    return value  # type: ignore[return-value]


class GateParams(Params):
    """Section `gate`: what a new model must reach to take the place of the one in use.

    Attributes:
        min_accuracy: accuracy, or balanced accuracy where that is the headline, that a model must reach to be promoted;
            "auto": its interval lies above what guessing reaches.
        margin: how much worse it may be, in shares of that measure.
        anchor: beside which model; "best": also the one that was last shown to be better than all before it.
        max_relabelled: share of a class's known images that may have changed class before a person is asked.
        max_lost: share of a class's number of images that may be gone before a person is asked.
    """

    min_accuracy: Annotated[float | Literal["auto"], PlainValidator(_least)]
    margin: Annotated[float, Field(gt=0, lt=1)]
    anchor: Literal["best", "present"]
    max_relabelled: Annotated[float, Field(ge=0, le=1)]
    max_lost: Annotated[float, Field(ge=0, le=1)]


# Of a stage, by its name; and the sections that are no stage's own.
SECTIONS: dict[str, type[Params]] = {
    "common": CommonParams,
    "download": DownloadParams,
    "split": SplitParams,
    "backbone": BackboneParams,
    "features": FeaturesParams,
    "scratch": ScratchParams,
    "scratch_augmented": ScratchParams,
    "feature_extraction": FeatureExtractionParams,
    "feature_extraction_augmented": FeatureExtractionAugmentedParams,
    "fine_tuned": FineTunedParams,
    "evaluate": EvaluateParams,
    "label_issues": LabelIssuesParams,
    "cross_validation": CrossValidationParams,
    "decisions": DecisionsParams,
    "report": ReportParams,
    "classifier": ClassifierParams,
    "gate": GateParams,
    "versions": VersionsParams,
}

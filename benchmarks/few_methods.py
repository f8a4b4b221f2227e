"""The methods that `benchmarks.few_images` compares, and the parameters of each."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import few_features, few_kerashub, few_trainings
from benchmarks.few_features import Cell
from flows.planning import own_images
from flows.project import profiles
from stages.lib.core.params import Params
from stages.lib.core.section_checks import read_sections

ROOT = Path(__file__).resolve().parents[1]
_HEAD = "features", "feature_extraction"


@dataclass(frozen=True)
class Method:
    """A way to learn.

    Attributes:
        work: gives probabilities of the test images, float64 (images, classes).
        deciding: sections of params.yaml that it reads.
        profile: of which they are; None: params.yaml as images of one's own get it.
        revision: counted up where the benchmark's own code finds something else, so that no older cell is taken for it.
    """

    work: Callable[[Cell], np.ndarray]
    deciding: tuple[str, ...] = ()
    profile: str | None = None
    revision: int = 0


METHODS = {
    "default": Method(few_features.head_of_stage, _HEAD),
    "logistic_head": Method(partial(few_features.head_of_stage, head="logistic"), _HEAD),
    "fine_tuned": Method(
        partial(few_trainings.trained_by_stages, calibrated=True), ("features", *few_trainings.STAGES)
    ),
    "published_head": Method(few_features.head_of_stage, _HEAD, "dogs_vs_cats"),
    "logistic_regression": Method(few_features.logistic_regression),
    "logistic_regression_mirrored": Method(partial(few_features.logistic_regression, mirror=True)),
    "svm": Method(few_features.support_vectors, revision=1),
    "nearest_neighbours": Method(few_features.nearest_neighbours),
    "kerashub": Method(few_kerashub.kerashub),
    "kerashub_frozen": Method(partial(few_kerashub.kerashub, norms="frozen")),
    "notebook": Method(few_trainings.trained_by_stages, ("features", *few_trainings.STAGES), "dogs_vs_cats"),
}
OURS = ("default", "logistic_head", "fine_tuned")


def sections_of(profile: str | None) -> dict[str, Params]:
    """Every section of params.yaml as images of one's own get it, or once a profile is written over it; in float32."""
    with few_features.scratch_folder() as folder:
        shutil.copy(ROOT / "params.yaml", folder)
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        if profile is not None:
            profiles.use(profile)
        found = read_sections()
    if profile is None:
        found["fine_tuned"] = found["fine_tuned"].model_copy(update={"min_steps": own_images.STEPS})
    # Neither which precision is fast nor from how many images on a model is trained is a question here.
    settled = {"precision": "float32", "min_images": None}
    return {
        name: one.model_copy(update={key: value for key, value in settled.items() if hasattr(one, key)})
        for name, one in found.items()
    }

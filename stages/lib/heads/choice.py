"""Which head is taken: the linear one, unless cross-validation on the training images is for the trained one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stages.lib.arrays.feature_files import FeatureSet
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.params import CommonParams
from stages.lib.heads import logistic, trained
from stages.lib.heads.asked import training_of
from stages.lib.heads.cross_validation import clearly_lower
from stages.lib.heads.linear import LinearHead

# A trained head picks its best epoch by the very images that it is judged on, which flatters it where they are few.
FEWEST = 100  # images that judge a trained head
_ERRORS = 2  # standard errors by which it must be better


@dataclass(frozen=True)
class Chosen:
    """The head that is taken.

    Attributes:
        head: the linear head; None where the head is to be trained.
        strengths: how the strength of the linear head was chosen (`logistic.Search`).
        about: for summary.json: kind ("logistic" or "mlp"); of a linear head also how it was chosen, how many images
            it learned from (`learned`), `of` how many, and may at `most`; where both were judged, the log loss of each
            (`log_loss`, out of fold, in nats) and of how many images (`judged`).
    """

    head: LinearHead | None
    strengths: pd.DataFrame | None
    about: dict[str, Any]


def choose(
    train: FeatureSet, groups: np.ndarray, classes: int, common: CommonParams, params: FeatureExtractionParams
) -> Chosen:
    """Fit the linear head, and judge the trained one beside it where the parameters ask for that.

    The linear head is taken unless at least `FEWEST` images judge the trained one, and its log loss is lower by more
    than two standard errors.

    Args:
        train: features of the training images.
        groups: int64 (images,), equal for images that belong together.
        classes: their number.
        common: seed and batch size.
        params: which head, and how one is trained.
    """
    if params.head == "mlp":
        return Chosen(None, None, {"kind": "mlp"})
    training = training_of(train, groups, classes, params)
    found = logistic.search(training, common.seed)
    judged = int(np.isfinite(found.losses).sum())
    about: dict[str, Any] = {
        "kind": "logistic",
        **_about(found),
        "learned": len(training.drawn(common.seed)),
        "of": len(train.labels),
        "most": training.most,
        "judged": judged,
    }
    linear = Chosen(logistic.fitted(training, found.choice, common.seed), found.strengths, about)
    if not judged:
        return linear
    weights = 1.0 if training.weights is None else training.weights[found.images]
    about["log_loss"] = {"logistic": float(np.nanmean(weights * found.losses))}
    if params.head == "auto" and judged >= FEWEST:
        others = trained.losses(train, found.images, groups[found.images], classes, common, params)
        # Of the same images: one whose class is in no other fold says nothing of a head.
        others = np.where(np.isfinite(found.losses), others, np.nan)
        about["log_loss"]["mlp"] = float(np.nanmean(weights * others))
        if clearly_lower(weights * others, weights * found.losses, _ERRORS):
            return Chosen(None, None, {key: about[key] for key in ("judged", "log_loss")} | {"kind": "mlp"})
    return linear


def _about(found: logistic.Search) -> dict[str, Any]:
    """How a linear head was chosen: scaling, strength, and what its logits were multiplied by."""
    strengths, shares = (found.strengths[name].to_numpy(np.float64) for name in ("strength", "share"))
    best = float(strengths[shares.argmax()]) if len(shares) else None
    return {
        "scaling": "unit length" if found.choice.unit_length else "standardised",
        "strength": best,
        "factor": found.choice.factor,
    }

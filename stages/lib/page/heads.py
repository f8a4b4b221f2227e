"""Which head a model has, and why, in words."""

from collections.abc import Mapping
from typing import Any

_KINDS = {"logistic": "a logistic regression", "mlp": "a trained dense layer"}


def sentence(summary: Mapping[str, Any]) -> str:
    """What the head of a model is and why it was taken; and whether the model looks at mirror images.

    Args:
        summary: summary.json of the model.

    Returns:
        One or two sentences; nothing of a model that says nothing of it.
    """
    head = summary.get("head", {})
    parts = []
    if head:
        parts.append(f"The head is {_KINDS[head['kind']]}{_scaled(head)}{_why(head)}.")
        if head.get("learned", 0) < head.get("of", 0):
            parts.append(f"It learned from {head['learned']:,} of the {head['of']:,} training images, drawn by chance.")
    if summary.get("mirror"):
        parts.append("The model takes the mean of the features of each image and of its mirror image.")
    return " ".join(parts)


def _scaled(head: Mapping[str, Any]) -> str:
    if head["kind"] != "logistic":
        return ""
    scaling = "features of unit length" if head["scaling"] == "unit length" else "standardised features"
    return f" on {scaling}{_adjusted(head['factor'])}"


def _adjusted(factor: float) -> str:
    return "" if factor == 1 else f", its logits multiplied by {factor:.2f} to mean what they say"


def _why(head: Mapping[str, Any]) -> str:
    losses = head.get("log_loss", {})
    if len(losses) < 2:
        return ""
    other = next(kind for kind in losses if kind != head["kind"])
    return (
        f": its log loss is {losses[head['kind']]:.3f} in cross-validation on {head['judged']:,} training images, "
        f"beside {losses[other]:.3f} of {_KINDS[other]}"
    )

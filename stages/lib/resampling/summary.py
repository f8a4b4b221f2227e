"""What repeated cross-validation found, as figures for JSON and as sentences."""

from collections.abc import Mapping
from typing import Any

from stages.lib.evaluation.intervals import Interval
from stages.lib.resampling.classes import weakest
from stages.lib.resampling.figures import procedure
from stages.lib.resampling.images import Images
from stages.lib.resampling.learning_curve import growth
from stages.lib.resampling.repeated import Resampled


def summary(found: Resampled, images: Images, seed: int) -> dict[str, Any]:
    """The figures that the report shows; docs/artifacts.md has them key by key.

    Args:
        found: of `repeated.resample`.
        images: that were resampled.
        seed: of what the prediction draws.
    """
    now = procedure(found)
    more, least = growth(found, now, seed), weakest(found)
    return {
        "measure": "balanced_accuracy" if now.balanced else "accuracy",
        **_interval("", now.figures[-1]),
        "spread": round(now.spread, 6),
        "part": round(now.part, 1),
        "images": len(images.labels),
        "of": images.of,
        "trained": round(float(found.trained[-1]), 1),
        "folds": int(found.parts.max()) + 1,
        "repeats": len(found.parts),
        "left_out": images.left_out,
        "curve": [
            {"images": round(float(count), 1), **_interval("", figure)}
            for count, figure in zip(found.trained, now.figures, strict=True)
        ],
        "twice": None if more is None else _interval("gain", more.gain) | _interval("", more.figure),
        "weakest": {
            "class": images.classes[least.label],
            **_interval("recall", least.recall),
            "images": least.images,
            "others": round(least.others, 6),
            "stands_out": bool(least.stands_out),
        },
    }


def sentence(figures: Mapping[str, Any]) -> str:
    """The figure of the procedure in one line."""
    return (
        f"cross-validation: {figures['measure'].replace('_', ' ')} {figures['value']:.4f} ({figures['low']:.4f} to "
        f"{figures['high']:.4f}), heads on {figures['trained']:,.0f} of {figures['images']:,} images"
    )


def _interval(name: str, found: Interval) -> dict[str, float]:
    keys = (name, f"{name}_low", f"{name}_high") if name else ("value", "low", "high")
    ends = zip(keys, (found.value, found.low, found.high), strict=True)
    return {key: round(float(end), 6) for key, end in ends}

"""Which model `models/classifier` is, and which figures speak for it."""

from collections.abc import Callable

from stages.lib.comparison.evaluations import Results
from stages.lib.core.model_sections import Refit

REFITTED = "feature_extraction"  # whose head can be fitted again in seconds


def deployed(
    results: Results, refit: Refit, counts: dict[str, int], resampled: bool, called: Callable[[str], str] = str
) -> str:
    """One sentence or two on the model that is deployed beside the one that was measured.

    Args:
        results: of the models.
        refit: `classifier.refit`.
        counts: images of each subset, by its name.
        resampled: whether there is a cross-validation of the procedure besides.
        called: what a sentence calls a model of this name.
    """
    name, trained, head = called(results.recommended.name), counts["train"], called(REFITTED)
    if refit == "none":
        return f"models/classifier is {name} as it was measured."
    if not results.recommended.is_linear:
        return (
            f"models/classifier is {name} as it was measured: classifier.refit ({refit}) fits only the linear head of "
            f"{head} again, not what is trained epoch by epoch."
        )
    if refit == "validation":
        return (
            f"models/classifier is the head of {head} fitted again, in the same way, on the "
            f"{trained + counts['validation']:,} training and validation images. The figures on the test images are of "
            f"the head that was fitted on {trained:,} of them, and speak for it: it has seen no test image either."
        )
    besides = ", and the cross-validation" if resampled else ""
    return (
        f"models/classifier is the head of {head} fitted again, in the same way, on all "
        f"{sum(counts.values()):,} images, so no image is left to measure it. What speaks for it are the figures of "
        f"the head that was fitted on {trained:,} of them, on the test images{besides}: more images "
        "make the same procedure better on average, not worse."
    )

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
    about = results.recommended.summary["head"]
    learned, most = about.get("learned", trained), about.get("most", trained)
    measured = f"the head that was fitted on {learned:,} of them"
    if refit == "validation":
        return (
            f"models/classifier is the head of {head} fitted again, in the same way, on "
            f"{_drawn(trained + counts['validation'], most)} training and validation images. The figures on the test "
            f"images are of {measured}, and speak for it: it has seen no test image either."
        )
    besides = ", and the cross-validation" if resampled else ""
    return (
        f"models/classifier is the head of {head} fitted again, in the same way, on "
        f"{_drawn(sum(counts.values()), most, 'all')} images, so no image is left to measure it. What speaks for it "
        f"are the figures of {measured}, on the test images{besides}: more images make the same procedure better on "
        "average, not worse."
    )


def _drawn(images: int, most: int, all_of: str = "the") -> str:
    return f"{all_of} {images:,}" if images <= most else f"{most:,}, drawn by chance, of {all_of} {images:,}"

"""The models of two runs on the same test images: what became better, what worse, and what cannot be told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stages.lib.comparison.comparisons import Comparison, Measure, compare, corrected, lower_bound, measure_of
from stages.lib.comparison.runs import Run, class_differences, require_same_images
from stages.lib.comparison.wording import p_value, percent
from stages.lib.core.errors import UserError
from stages.lib.evaluation import metrics
from stages.lib.evaluation.intervals import Interval


@dataclass(frozen=True)
class ModelChange:
    """A model of the later run, `one` of the comparison, beside a model of the earlier run, mostly of the same name.

    Attributes:
        lower_bound: one-sided, of the difference, at 95 %.
    """

    comparison: Comparison
    before: Interval
    after: Interval
    balanced_before: Interval
    balanced_after: Interval
    lower_bound: float

    @property
    def compared(self) -> tuple[Interval, Interval]:
        """What the verdict is about, before and after: accuracies, or balanced accuracies."""
        if self.comparison.measure == "accuracy":
            return self.before, self.after
        return self.balanced_before, self.balanced_after


@dataclass(frozen=True)
class RunComparison:
    """Two runs on the same test images.

    Attributes:
        changes: of every model that both have.
        recommended: the recommended model beside the one recommended before; None where one of the runs keeps none.
        only_before: models that only the run before has.
        only_after: models that only the run after has.
        measure: what is compared: that of the test images, whatever the headline of either run was.
        notes: what else to know.
    """

    before: Run
    after: Run
    changes: Sequence[ModelChange]
    recommended: ModelChange | None
    only_before: Sequence[str]
    only_after: Sequence[str]
    measure: Measure
    notes: Sequence[str]

    @property
    def images(self) -> int:
        """Number of test images."""
        return len(self.after.images)

    @property
    def imbalanced(self) -> bool:
        """Whether the classes of the test images are too unequal for accuracy."""
        return self.measure == "balanced_accuracy"


def compare_runs(before: Run, after: Run) -> RunComparison:
    """Compare each model with its namesake, and the recommended ones; p-values corrected together.

    Raises:
        Refused: the test images or their labels differ.
        UserError: no model is in both, and no recommended one in each.
    """
    require_same_images(before, after)
    namesakes = [(model, model) for model in after.models if model in before.models]
    recommended = [(after.recommended, before.recommended)] if after.recommended and before.recommended else []
    pairs = list(dict.fromkeys([*namesakes, *recommended]))
    if not pairs:
        has = [f"{run.name} has {', '.join(run.models)}" for run in (before, after)]
        raise UserError(f"expected a model that both runs have: {'; '.join(has)}")
    labels = after.images["label"].to_numpy()
    found = corrected([compare(one, other, after.right(one), before.right(other), labels) for one, other in pairs])
    changes = {(c.one, c.other): _change(c, before, after) for c in found}
    return RunComparison(
        before,
        after,
        [changes[pair] for pair in namesakes],
        changes[recommended[0]] if recommended else None,
        [model for model in before.models if model not in after.models],
        [model for model in after.models if model not in before.models],
        measure_of(labels),
        list(class_differences(before, after)),
    )


def sentence(found: RunComparison) -> str:
    """The verdict on the recommended models, with the difference and how many images would tell."""
    change = found.recommended
    if change is None:
        silent = " and ".join(run.name for run in (found.before, found.after) if run.recommended is None)
        return f"No verdict on the recommended model: none is kept with {silent}."
    comparison = change.comparison
    verdicts = {"better": "Better", "worse": "Worse"}
    verdict = verdicts.get(comparison.verdict, f"No difference shown with these {found.images:,} test images")
    was, now = ("had a balanced accuracy of", "has") if found.imbalanced else ("was right on", "is right on")
    shares = [percent(share.value) for share in change.compared]
    before = f"{comparison.other} {was} {shares[0]} ({found.before.name})"
    after = f"{comparison.one} {now} {shares[1]} ({found.after.name})"
    text = (
        f"{verdict}: the recommended {before}, the recommended {after} {'on' if found.imbalanced else 'of'} the same "
        f"{found.images:,}. The difference is {difference_in_points(comparison.difference)} points, "
        f"p {p_value(comparison.p_value)}."
    )
    if comparison.needed is None:
        return f"{text} Both {'have the same' if found.imbalanced else 'are right equally often'}."
    needed = would_tell(comparison)
    return f"{text} About {needed:,} test images would show a difference of this size." if needed else text


def would_tell(comparison: Comparison) -> int | None:
    """How many images would tell, where these do not; None where they do, or where there is nothing to tell."""
    too_few = comparison.verdict == "no difference shown" and (comparison.needed or 0) > comparison.images
    return comparison.needed if too_few else None


def figures(found: RunComparison) -> dict[str, Any]:
    """Everything that was found, as JSON takes it."""
    runs = {
        key: {
            "name": run.name,
            "recommended": run.recommended,
            "models": list(run.models),
            "classes": list(run.classes),
        }
        for key, run in (("before", found.before), ("after", found.after))
    }
    return runs | {
        "images": found.images,
        "measure": found.measure,
        "imbalanced": found.imbalanced,
        "verdict": sentence(found),
        "recommended": _row(found.recommended) if found.recommended else None,
        "models": [_row(change) for change in found.changes],
        "only_before": list(found.only_before),
        "only_after": list(found.only_after),
        "notes": list(found.notes),
        "cautions": list(found.after.cautions),
    }


def difference_in_points(difference: Interval) -> str:
    """A difference of two shares in percentage points, with its interval."""
    value, low, high = (
        f"{100 * share:+.1f}".replace("-0.0", "+0.0") for share in (difference.value, difference.low, difference.high)
    )
    return f"{value} ({low} to {high})"


def _change(comparison: Comparison, before: Run, after: Run) -> ModelChange:
    tables = before.models[comparison.other], after.models[comparison.one]
    balanced = [metrics.balanced_accuracy(*(t[column].to_numpy() for column in ("label", "predicted"))) for t in tables]
    rights = before.right(comparison.other), after.right(comparison.one)
    labels = after.images["label"].to_numpy()
    was, now = rights
    bound = lower_bound(now, was, labels)
    return ModelChange(comparison, metrics.accuracy(was), metrics.accuracy(now), balanced[0], balanced[1], bound)


def _row(change: ModelChange) -> dict[str, Any]:
    comparison = change.comparison
    return {
        "before": {"model": comparison.other} | _measured(change.before, change.balanced_before),
        "after": {"model": comparison.one} | _measured(change.after, change.balanced_after),
        "difference": asdict(comparison.difference),
        "lower_bound": change.lower_bound,
        "only_right_before": comparison.only_other,
        "only_right_after": comparison.only_one,
        "p_value": comparison.p_value,
        "needed": comparison.needed,
        "verdict": comparison.verdict,
    }


def _measured(accuracy: Interval, balanced: Interval) -> dict[str, Any]:
    return {"accuracy": asdict(accuracy), "balanced_accuracy": asdict(balanced)}

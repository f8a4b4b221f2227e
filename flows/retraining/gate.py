"""Whether a new model may take the place of the one in use, on the newest test images.

It may if it is shown to be hardly worse: the lower one-sided 95 % bound of the paired difference lies above
-`gate.margin`, beside the model in use and beside the best before it (`flows.retraining.rivals`), so that small losses
do not add up. Where the test images are too few for that, or labels and images are not what they were, a person is
asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from flows.errors import FlowError
from flows.project.parameters import PARAMS, check_parameters, read_parameters
from flows.registry.gto import Promotion
from flows.retraining import known_images, rivals
from flows.run import left_out
from flows.run.results import cautions

_ASK = "a person decides: `smallset promote` puts the new one into use"
_QUANTILES = 1.645 + 0.842  # of the normal distribution: a bound at 95 %, which holds in 80 % of cases


@dataclass(frozen=True)
class Decision:
    """What the gate says of a new model, and why, with the cautions of its report.

    Attributes:
        word: "undecided" where a person is asked.
        comparison: beside the model in use, as `smallset compare --json` has it; None without one.
        beside: the same for the best model before, if that is another one.
        is_best: whether later models are measured by this one.
    """

    word: Literal["promoted", "rejected", "undecided"]
    reason: str
    comparison: dict[str, Any] | None = None
    beside: dict[str, Any] | None = None
    is_best: bool = False

    @property
    def promote(self) -> bool:
        """Whether the new model is to be put into use."""
        return self.word == "promoted"


def read_gate() -> Mapping[str, Any]:
    """Read the section `gate` of params.yaml, as `GateParams` of the stages has it.

    Raises:
        FlowError: a mistake in any section, or there is no such section.
    """
    check_parameters()
    section = read_parameters().get("gate")
    if not isinstance(section, dict):
        raise FlowError(f"{PARAMS}: expected a section 'gate'")
    return section


def decide(present: Promotion | None, summary: dict[str, Any], params: Mapping[str, Any]) -> Decision:
    """Compare the classifier of the working directory with the one in use, on the test images that lie there now.

    Whatever is decided, the reason has the cautions of the report.

    Args:
        present: the version in use; None if there is none yet.
        summary: of the report, which names the new model.
        params: the section `gate`.

    Raises:
        FlowError: the model in use cannot be fetched.
    """
    decision = _decide(present, summary, params)
    found = cautions(summary)
    if not found:
        return decision
    reason = f"{decision.reason.removesuffix('.')}."
    return replace(decision, reason=" ".join([reason, *(f"Caution: {text}" for text in found)]))


def _decide(present: Promotion | None, summary: dict[str, Any], params: Mapping[str, Any]) -> Decision:
    if low := _too_low(summary, params["min_accuracy"]):
        return low
    # On imbalanced images the headline is the balanced accuracy: saying the largest class is no achievement.
    measure = summary.get("headline", "accuracy")
    if present is None:
        reason = f"the first model in use; {_words(measure)} {summary[measure]:.4f}"
        if left_out.strays():
            # Nobody has seen yet that the rest means what it is taken for.
            return Decision("undecided", f"{reason}{left_out.told()}; look at that, then {_ASK}")
        return Decision("promoted", f"{reason}, expected {_expected(params['min_accuracy'])}", is_best=True)
    labels = known_images.compare_manifests(present.commit, present.version, params)
    with rivals.fetched():
        differing = rivals.other_classes(present)
        if differing:
            reason = _sentences([differing, *labels.stops]) if labels.stops else differing
            decision = Decision("undecided", reason)
        else:
            decision = _beside_rivals(present, params, labels.stops)
    return replace(decision, reason=_sentences([decision.reason, *labels.notes])) if labels.notes else decision


def _too_low(summary: Mapping[str, Any], least: float | str) -> Decision | None:
    """The decision on a model that is not good enough, whatever is in use; None where it is."""
    measure = summary.get("headline", "accuracy")
    value, words = summary[measure], _words(measure)
    if not isinstance(least, str):
        below = f"{words} {value:.4f} is below gate.min_accuracy {least:g}"
        return Decision("rejected", below) if value < least else None
    guessing = known_images.chance(known_images.predictions_of(summary["recommended"]), measure)
    low = summary[f"{measure}_low"]
    if low > guessing:
        return None
    text = f"{words} {value:.4f} ({low:.4f} at least) is not shown to be above guessing, {guessing:.4f}"
    if value <= guessing:
        return Decision("rejected", f"{text} (gate.min_accuracy: auto)")
    return Decision("undecided", f"{text}, with these test images (gate.min_accuracy: auto); {_ASK}")


def _beside_rivals(present: Promotion, params: Mapping[str, Any], stops: Sequence[str]) -> Decision:
    """The decision beside the model in use and the best one before.

    Args:
        stops: what is wrong with the labels; beside it the comparison is only told.
    """
    comparison = rivals.compare(present)
    now = rivals.predictions(present)
    stops = [*stops, *known_images.collapse(present.commit, present.version, now, params["margin"])]
    if stops:
        reason = _sentences([f"stopped: {'; '.join(stops)}; look at the labels, then {_ASK}", comparison["verdict"]])
        return Decision("undecided", reason, comparison)
    best = rivals.anchor(present) if params["anchor"] == "best" else present
    # With other classes nothing compares it with the new one.
    beside = rivals.compare(best) if best.version != present.version and not rivals.other_classes(best) else None
    return _judged(comparison, beside, params["margin"])


def _judged(comparison: dict[str, Any], beside: dict[str, Any] | None, margin: float) -> Decision:
    """The decision on these comparisons: both have to allow it."""
    found = [comparison, *([beside] if beside else [])]
    short = [one for one in found if one["recommended"]["lower_bound"] <= -margin]
    told = _sentences(one["verdict"] for one in (short or [comparison]))
    bounds = ", ".join(
        f"{100 * one['recommended']['lower_bound']:+.1f} points beside {one['before']['name']}" for one in found
    )
    bound = f"At least {bounds}, with 95 % confidence; gate.margin allows -{100 * margin:g}."
    if not short:
        is_best = (beside or comparison)["recommended"]["verdict"] == "better"
        return Decision("promoted", f"{told} {bound}", comparison, beside, is_best)
    if any(one["recommended"]["verdict"] == "worse" for one in short):
        return Decision("rejected", f"{told} {bound}", comparison, beside)
    needed = max(_needed(one, margin) for one in short)
    reason = f"{told} {bound} Cannot decide with these test images, about {needed:,} would do; {_ASK}."
    return Decision("undecided", reason, comparison, beside)


def _needed(comparison: Mapping[str, Any], margin: float) -> int:
    """Test images on which a model that is as good would have a bound above the margin in four cases of five."""
    recommended = comparison["recommended"]
    error = (recommended["difference"]["value"] - recommended["lower_bound"]) / 1.645
    needed: int = ceil(comparison["images"] * (_QUANTILES * error / margin) ** 2)
    return max(needed, int(comparison["images"]) + 1)


def _words(measure: str) -> str:
    return measure.replace("_", " ")


def _expected(least: float | str) -> str:
    return "above guessing" if isinstance(least, str) else f"at least {least:g}"


def _sentences(texts: Iterable[str]) -> str:
    # The name of a version stays as it is.
    begun = [text if text.startswith("v") and text[1:2].isdigit() else f"{text[0].upper()}{text[1:]}" for text in texts]
    return " ".join(f"{text.removesuffix('.')}." for text in begun)

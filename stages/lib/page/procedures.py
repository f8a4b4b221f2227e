"""What cross-validation on all images adds to the report: the figure of the procedure, what more images would bring."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.words import counted
from stages.lib.comparison.evaluations import Evaluation, Results
from stages.lib.comparison.wording import percent, points
from stages.lib.page.growth import growth_chart
from stages.lib.page.verdict import rounded

HEAD = "feature_extraction"  # whose procedure is cross-validated
WORTH = 0.005  # of the figure: what twice the images have to bring to be worth the work
_DISPUTED = 0.25  # of the errors, as likely mislabelled images: labels come before images


@dataclass(frozen=True)
class ProcedureReport:
    """Sentences and a chart; the same sentences are in summary.json.

    Attributes:
        figures: of the stage `cross_validation`.
        figure: the figure of the procedure beside that of the single split.
        twice: what twice the images would bring.
        weakest: the class that needs images most.
        todo: whether more images would help, and of which class; or that labels come first.
        chart: the learning curve.
    """

    figures: Mapping[str, Any]
    figure: str
    twice: str
    weakest: str
    todo: str
    chart: str


def procedure_report(file: Path, results: Results, suspects: int) -> ProcedureReport | None:
    """Read the figures of the stage `cross_validation` and say what they mean.

    Args:
        file: what the stage wrote.
        results: of the models, for the figure of the single split.
        suspects: images that are likely mislabelled.

    Returns:
        None where the stage is turned off or still to come, or there was too little to cross-validate.
    """
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    if not found:
        return None
    single = next((one for one in results.evaluations if one.name == HEAD), None)
    chart = growth_chart(found, HEAD, _twice(found))
    return ProcedureReport(
        found,
        _figure(found, single),
        _twice(found),
        _weakest(found),
        _todo(found, suspects),
        chart,
    )


def cautions_of(report: ProcedureReport | None, results: Results) -> Iterator[str]:
    """A caution where the single split was lucky."""
    if report is None or not results.recommended.is_linear:
        return
    found, measure = report.figures, report.figures["measure"]
    single = results.recommended.figures[measure]
    # A head that has learned from more images than those of the cross-validation may well be better.
    is_beside_its_like = results.recommended.summary["head"].get("learned", 0) <= found["trained"]
    if single > found["high"] and is_beside_its_like:
        which = f"{found['images']:,} of the" if is_drawn(found) else "all"
        yield (
            f"The test images may be easier than most: {percent(single)} {_words(found)} on them, beside "
            f"{percent(found['value'])} ({_range(found)}) of the same procedure on {which} images in turn. Expect the "
            "lower figure."
        )


def sentences(report: ProcedureReport | None) -> dict[str, list[str]]:
    """What summary.json says of the procedure: "procedure", sentences, none without cross-validation."""
    return {"procedure": [] if report is None else [report.figure, report.twice, report.weakest, report.todo]}


def _figure(found: Mapping[str, Any], single: Evaluation | None) -> str:
    drawn = f", drawn from {found['of']:,}," if is_drawn(found) else ""
    times = "once" if found["repeats"] == 1 else f"{found['repeats']} times over"
    text = (
        f"A logistic regression on these features, trained on {found['trained']:,.0f} of {found['images']:,} "
        f"images{drawn} and judged on the rest, each image in turn and {times}, reaches {percent(found['value'])} "
        f"{_words(found)} (95 % interval {_range(found)}). Judged on {found['part']:,.0f} images alone, figures "
        f"differ by a standard deviation of {points(found['spread'])} from split to split."
    )
    if single is None:
        return text
    return (
        f"{text} The single split of this report says {percent(single.figures[found['measure']])} of {HEAD}, on "
        f"{counted(single.figures['images'], 'test image')}."
    )


def _twice(found: Mapping[str, Any]) -> str:
    twice = found["twice"]
    if twice is None:
        return "There are too few images of a class to say what more of them would bring."
    drawn = is_drawn(found)
    which, there = (" that took part", f"; {found['of']:,} are there already") if drawn else ("", "")
    return (
        f"Twice the images{which}, {found['images']:,} more of the same kind: {_signed(twice['gain'])} points (95 % "
        f"interval {_signed(twice['gain_low'])} to {_signed(twice['gain_high'])}), to about "
        f"{percent(twice['value'])}{there}."
    )


def _weakest(found: Mapping[str, Any]) -> str:
    least = found["weakest"]
    recall = (
        f"{percent(least['recall'])} of its {least['images']:,} images are found (95 % interval "
        f"{100 * least['recall_low']:.1f} to {percent(least['recall_high'])}), beside {percent(least['others'])} of "
        "the others"
    )
    if least["recall"] >= least["others"]:
        return f"No class needs images more than another: {percent(least['recall'])} of each are found."
    if least["stands_out"]:
        return f"Class {least['class']} needs images most: {recall}."
    return f"No class stands out. The lowest is {least['class']}, which may be chance: {recall}."


def are_disputed(found: Mapping[str, Any] | None, suspects: int, wrong: int) -> bool:
    """Whether so many labels are likely wrong that they come before images.

    Args:
        found: figures of the stage `cross_validation`; None without them.
        suspects: images that are likely mislabelled.
        wrong: test images that the recommended model gets wrong, where there is nothing else to go by.
    """
    return suspects >= max(3, _DISPUTED * (wrong if found is None else _errors(found)))


def _errors(found: Mapping[str, Any]) -> float:
    """How many of all images heads get wrong: of a balanced accuracy the recalls of the classes say it."""
    right, least = float(found["value"]), found["weakest"]
    if found["measure"] != "accuracy":
        own = least["images"] / found["images"]
        right = own * least["recall"] + (1 - own) * least["others"]
    return float((1 - right) * found["of"])


def _todo(found: Mapping[str, Any], suspects: int) -> str:
    errors, twice = _errors(found), found["twice"]
    if are_disputed(found, suspects, 0):
        return (
            f"Labels before more images: {suspects:,} are likely wrong, beside about {rounded(round(errors)):,} images "
            "that heads get wrong."
        )
    if twice is None:
        return "More images: of each class at least ten, before more can be told."
    whose = f", of {found['weakest']['class']} first" if found["weakest"]["stands_out"] else ""
    if is_drawn(found) and twice["gain_high"] >= WORTH:
        return (
            f"More images: set cross_validation.images to {found['of']:,}, as many as are there; what more than "
            "these would bring is not shown by fewer."
        )
    if twice["gain_low"] > 0 and twice["gain"] >= WORTH:
        return f"More images{whose}: that they help is shown."
    if twice["gain_high"] < WORTH:
        return (
            f"More images: twice as many would bring less than {points(WORTH)}; another backbone or larger images may "
            "bring more."
        )
    likely = "they are likely to help" if twice["gain"] >= WORTH else "they may help little"
    return f"More images{whose}: {likely}, which is not shown; these are too few to tell."


def is_drawn(found: Mapping[str, Any]) -> bool:
    """Whether only some of the images took part (`cross_validation.images`)."""
    return bool(found["of"] > found["images"])


def _words(found: Mapping[str, Any]) -> str:
    return str(found["measure"]).replace("_", " ")


def _range(found: Mapping[str, Any]) -> str:
    return f"{100 * found['low']:.1f} to {percent(found['high'])}"


def _signed(gain: float) -> str:
    text = f"{100 * gain:+.1f}"
    return "0.0" if float(text) == 0 else text

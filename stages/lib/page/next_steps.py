"""What to do next, the most useful first, each with the key or the command that does it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safety.words import counted, listed
from stages.lib.comparison.evaluations import Evaluation, Results, called
from stages.lib.comparison.wording import percent, points
from stages.lib.page.cautions import LEAST_TEST, LEAST_VALIDATION, no_better_than_chance, twice_as_long, untested
from stages.lib.page.procedures import WORTH, are_disputed, is_drawn
from stages.lib.page.verdict import rounded

_LARGER = 2  # times the models' input that images have to be, for larger inputs to be worth a trial
_EARLY = 0.25  # of the epochs: a best epoch before that is early
_LONG = 12  # epochs that a training has to have for that to be worth a word
_PATIENCE = 5  # epochs without improvement that are proposed
_PRESETS = "docs/recommended_presets.md"
_RUN = "smallset run"


@dataclass(frozen=True)
class Step:
    """Something to do.

    Attributes:
        what: in a few words.
        why: what says so, in a sentence.
        how: the key of params.yaml with its value, or the command; empty where it is done outside.
        section: key of the section of the page that has more; empty without one.
    """

    what: str
    why: str
    how: str = ""
    section: str = ""

    @property
    def sentence(self) -> str:
        """All of it as one line."""
        return f"{self.what}: {self.why.removesuffix('.')}{f' ({self.how})' if self.how else ''}."


@dataclass(frozen=True)
class Known:
    """What the steps follow from.

    Attributes:
        results: of all models.
        procedure: figures of the stage `cross_validation`; None without them.
        suspects: images that are likely mislabelled.
        side: median of the smaller sides of all images, in pixels.
        parameters: sections of params.yaml.
        trained: training images.
    """

    results: Results
    procedure: Mapping[str, Any] | None
    suspects: int
    side: float
    parameters: Mapping[str, Any]
    trained: int


def next_steps(known: Known) -> list[Step]:
    """What to do next, in order: first what the figures rest on, then what makes them better, then what saves time."""
    disputed = known.suspects and are_disputed(known.procedure, known.suspects, int((~_chosen(known).right).sum()))
    first = (_chance, _untested, *([_labels] if disputed else []), _more_tests)
    then = (_more_images, _longer, _larger_images, *([] if disputed else [_labels]), _other_backbone, _shorter)
    return [step for each in (*first, *then) for step in each(known)]


def _download(known: Known) -> Mapping[str, Any]:
    return known.parameters.get("download") or {}


def _chosen(known: Known) -> Evaluation:
    return known.results.recommended


def _chance(known: Known) -> Iterator[Step]:
    if no_better_than_chance(known.results):
        why = "the model is not shown to be better than always naming the largest class."
        yield Step("Look at the labels and the wrong images", why, section="errors")


def _untested(known: Known) -> Iterator[Step]:
    if missing := untested(known.results):
        more = [counted(len(missing) - 3, "more class", "more classes")] if missing[3:] else []
        names = listed([*missing[:3], *more])
        yield Step(f"Add images of {names}", "none is among the test images, so nothing is known.", "split.test")


def _labels(known: Known) -> Iterator[Step]:
    if known.suspects:
        few = known.suspects == 1
        own = _download(known).get("source") == "folder"
        mend = "Move an image out of the wrong folder, or mend its row of the csv." if own else "Mend it at the source."
        yield Step(
            f"Look at {counted(known.suspects, 'label')}",
            f"{'it is' if few else 'they are'} likely wrong, and a model learns what it is told. {mend}",
            f"data/label_issues.csv, then {_RUN}",
            "labels",
        )


def _more_tests(known: Known) -> Iterator[Step]:
    results = known.results
    tested, judged = len(results.labels), results.choice.images
    if tested < LEAST_TEST:
        low, high = (_chosen(known).figures[f"{results.headline}_{end}"] for end in ("low", "high"))
        leave = counted(tested, "leaves", "leave")
        why = f"{leave} the {results.words} anywhere from {100 * low:.0f} to {percent(high, 0)}."
        yield Step(f"Test on at least {LEAST_TEST} images", why, "split.test, or more images")
    if judged < LEAST_VALIDATION and len(results.evaluations) > 1:
        why = f"{counted(judged, 'validation image')} chose the model, which is mostly chance."
        yield Step(f"Choose by at least {LEAST_VALIDATION} images", why, "split.validation, or more images")


def _more_images(known: Known) -> Iterator[Step]:
    found = known.procedure
    if found is None:
        return
    twice = found["twice"]
    if twice is None:
        yield Step("Add images", "of each class at least ten, before more can be told.", section="more-images")
    elif is_drawn(found) and twice["gain_high"] >= WORTH:
        why = "what more images bring is told by all that are there."
        yield Step("Let all images take part", why, f"cross_validation.images: {found['of']}", "more-images")
    elif twice["gain"] >= WORTH:
        weakest = found["weakest"]
        is_one = weakest["stands_out"]
        count = rounded(weakest["images"] if is_one else found["images"])
        sure = "is shown to help" if twice["gain_low"] > 0 else "is likely to help, not shown to"
        # Not the figure of the headline, which could be higher than what more images are said to lead to.
        reached = f"from {100 * found['value']:.1f} to about {percent(twice['value'])} in cross-validation"
        what = "twice the images of every class" if is_one else "twice the images"
        gain = f"{what} {sure}: {100 * twice['gain']:+.1f} points, {reached}."
        least = f" {percent(weakest['recall'])} of this class are found, {percent(weakest['others'])} of the others."
        whose = f" of {weakest['class']}" if is_one else ""
        drawn = _download(known).get("sample_per_class") if _download(known).get("source") == "sample" else None
        how = f"download.sample_per_class: {2 * drawn}" if drawn else ""
        yield Step(f"Add about {count:,} images{whose}", gain + (least if is_one else ""), how, "more-images")


def _longer(known: Known) -> Iterator[Step]:
    for one in known.results.evaluations:
        epochs, best = one.summary["epochs"], one.summary["best_epoch"]
        if epochs and best == epochs and one.summary.get("kept", "best") == "best":
            why = f"its best epoch is the last one, {epochs:,}."
            longer = twice_as_long(one.name, epochs, known.parameters, known.trained)
            how = ", ".join(f"{key}: {value}" for key, value in longer.items())
            yield Step(f"Train {called(one.name)} longer", why, how, "curves")


def _larger_images(known: Known) -> Iterator[Step]:
    size = _chosen(known).summary["image_size"]
    if known.side >= _LARGER * size and not _chosen(known).right.all():
        why = f"the models see {size} x {size} pixels of images whose smaller side is {known.side:,.0f}."
        yield Step("Let the models see more", why, f"common.image_size: {_LARGER * size}, or preset", "data")


def _other_backbone(known: Known) -> Iterator[Step]:
    section = known.parameters.get("backbone") or {}
    if not section.get("enabled") or section.get("candidates") or _chosen(known).right.all():
        return
    found = known.procedure
    flat = found is not None and found["twice"] is not None and found["twice"]["gain_high"] < WORTH
    why = (
        f"twice the images would bring less than {points(WORTH)}, a larger backbone may bring more."
        if flat
        else "a larger one often errs less, and takes longer; the best is taken, of equal ones the cheapest."
    )
    yield Step("Try another backbone", why, f"backbone.candidates: up to four of {_PRESETS}")


def _shorter(known: Known) -> Iterator[Step]:
    for one in known.results.evaluations:
        epochs, best = one.summary["epochs"], one.summary["best_epoch"]
        kept_best = one.summary.get("kept", "best") == "best"
        stops = (known.parameters.get(one.name) or {}).get("early_stopping")
        if kept_best and not stops and epochs >= _LONG and best <= _EARLY * epochs:
            why = f"its best epoch was {best:,} of {epochs:,}; what came after was not kept."
            yield Step(f"Train {called(one.name)} shorter", why, f"{one.name}.early_stopping: {_PATIENCE}", "curves")


def sentences(steps: Sequence[Step]) -> list[str]:
    """What summary.json says of them."""
    return [step.sentence for step in steps]

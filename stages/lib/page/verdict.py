"""What the report says first, in plain sentences, and the tables that `compare` and DVC read."""

from collections.abc import Callable, Sequence
from math import isclose
from typing import Any

import pandas as pd

from safety.words import counted, listed
from stages.lib.comparison.choice import ONE_ERROR
from stages.lib.comparison.comparisons import Comparison
from stages.lib.comparison.evaluations import Results
from stages.lib.comparison.wording import percent

_INTERVALS = ("accuracy", "accuracy_low", "accuracy_high")
_BALANCED = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")
_PAIR = [
    *("one", "other", "images", "only_one", "only_other"),
    *("difference", "low", "high"),
    *("p_value", "needed", "verdict", "measure"),
]


def summary(results: Results, advice: str, cautions: Sequence[str]) -> dict[str, Any]:
    """The headline as figures, the verdict, why this model, and what to know before it is relied on.

    Args:
        results: of all models.
        advice: what to do with the recommended model: "use" or "do not use".
        cautions: a sentence each.
    """
    figures = results.recommended.figures
    keys = (*_INTERVALS, *_BALANCED, "validation_accuracy", "images")
    return (
        {"recommended": results.recommended.name, "advice": advice, "headline": results.headline}
        | {key: figures[key] for key in keys}
        | {"verdict": verdict(results), "why": why(results), "cautions": list(cautions)}
    )


def accuracy_table(results: Results) -> pd.DataFrame:
    """A row per model: model, accuracy, low, high."""
    rows = [(one.name, *(one.figures[key] for key in _INTERVALS)) for one in results.evaluations]
    return pd.DataFrame(rows, columns=["model", "accuracy", "low", "high"])


def comparison_table(results: Results) -> pd.DataFrame:
    """A row per pair of models; `difference` is of `measure`, `needed` is empty where both have the same."""
    rows = [
        (
            *(pair.one, pair.other, pair.images, pair.only_one, pair.only_other),
            *(pair.difference.value, pair.difference.low, pair.difference.high),
            *(pair.p_value, pair.needed, pair.verdict, pair.measure),
        )
        for pair in results.comparisons
    ]
    return pd.DataFrame(rows, columns=_PAIR).astype({"needed": "Int64"})


def verdict(results: Results, called: Callable[[str], str] = str) -> str:
    """One sentence on the recommended model beside the others.

    Args:
        results: of all models.
        called: what a sentence calls a model of this name.
    """
    name, pairs = called(results.recommended.name), results.beside_others
    if not pairs:
        return f"No other model was measured to compare {name} with."
    parts = [
        f"{word} than {listed([called(pair.other) for pair in found])}"
        for word in ("better", "worse")
        if (found := [pair for pair in pairs if pair.verdict == word])
    ]
    said = f"is {listed(parts)}" if parts else ""
    alike = [pair for pair in pairs if pair.verdict not in ("better", "worse")]
    if alike:
        others = listed([f"{called(pair.other)} ({_needed(pair, pair is alike[0])})" for pair in alike])
        said += f"{', and ' if parts else ''}shows no difference from {others}"
    tested = counted(pairs[0].images, "test image")
    if results.headline == "accuracy":
        return f"On {tested} {name} {said}."
    return f"By {results.words} on {tested} {name} {said}."


def why(results: Results, called: Callable[[str], str] = str) -> str:
    """Why this model, in two or three sentences.

    Args:
        results: of all models.
        called: what a sentence calls a model of this name.
    """
    choice, words = results.choice, results.words
    name, highest = choice.chosen, percent(choice.figures[choice.best])
    on = f"on the {counted(choice.images, 'validation image')}"
    if len(choice.figures) == 1:
        return f"It is the only model that was measured; its {words} {on} is {highest}."
    equal = [one for one, figure in choice.figures.items() if isclose(figure, choice.figures[choice.best])]
    if name in equal:
        shared = f", shared with {listed([called(one) for one in equal if one != name])}" if equal[1:] else ""
        is_cheapest = name == next(iter(choice.figures))
        cheaper = "is the cheapest" if is_cheapest else "no cheaper model is within one standard error of that"
        return f"It has the highest {words} {on} ({highest}{shared}), and {cheaper}. The test images decided nothing."
    assert choice.beside, "only another model than the best has a lower figure"
    own = percent(choice.figures[name])
    return (
        f"It is the cheapest model within one standard error of the highest {words} {on}: {own} beside {highest} "
        f"of {called(choice.best)}. So small a difference may well be chance (paired test: "
        f"p {choice.beside.p_value:.2f}; one standard error is p {ONE_ERROR:.2f}). The test images decided nothing."
    )


def _needed(pair: Comparison, first: bool) -> str:
    if pair.needed is None:
        return "both are right equally often" if pair.measure == "accuracy" else "both have the same"
    return f"about {rounded(pair.needed, pair.images):,}{' images would be needed to tell' if first else ''}"


def rounded(count: int, more_than: int = 0) -> int:
    """A count with two digits that count: an estimate is no more exact than that.

    Args:
        count: at least 0.
        more_than: where rounding goes down to this, the count stays: it would say that there are enough.
    """
    found = int(float(f"{count:.2g}"))
    return found if found > more_than else count

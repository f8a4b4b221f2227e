"""What the report says first, in plain sentences, and the tables that `compare` and DVC read."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from stages.lib.comparisons import Comparison
from stages.lib.evaluations import Results

_INTERVALS = ("accuracy", "accuracy_low", "accuracy_high")
_BALANCED = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")
_PAIR = [
    *("one", "other", "pictures", "only_one", "only_other"),
    *("difference", "low", "high"),
    *("p_value", "needed", "verdict"),
]


def summary(results: Results) -> dict[str, Any]:
    """The headline as figures, and the verdict."""
    figures = results.recommended.figures
    keys = (*_INTERVALS, *_BALANCED, "validation_accuracy", "pictures")
    return (
        {"recommended": results.recommended.name, "headline": results.headline}
        | {key: figures[key] for key in keys}
        | {"verdict": verdict(results)}
    )


def accuracy_table(results: Results) -> pd.DataFrame:
    """A row per model: model, accuracy, low, high."""
    rows = [(one.name, *(one.figures[key] for key in _INTERVALS)) for one in results.evaluations]
    return pd.DataFrame(rows, columns=["model", "accuracy", "low", "high"])


def comparison_table(results: Results) -> pd.DataFrame:
    """A row per pair of models; `needed` is empty where both are equally often right."""
    rows = [
        (
            *(pair.one, pair.other, pair.pictures, pair.only_one, pair.only_other),
            *(pair.difference.value, pair.difference.low, pair.difference.high),
            *(pair.p_value, pair.needed, pair.verdict),
        )
        for pair in results.comparisons
    ]
    return pd.DataFrame(rows, columns=_PAIR).astype({"needed": "Int64"})


def verdict(results: Results) -> str:
    """One sentence on the recommended model beside the others."""
    name, pairs = results.recommended.name, results.beside_others
    if not pairs:
        return f"There is no other model to compare {name} with."
    parts = [
        f"{word} than {listed([pair.other for pair in found])}"
        for word in ("better", "worse")
        if (found := [pair for pair in pairs if pair.verdict == word])
    ]
    said = f"is {listed(parts)}" if parts else ""
    alike = [pair for pair in pairs if pair.verdict not in ("better", "worse")]
    if alike:
        others = listed([f"{pair.other} ({_needed(pair, pair is alike[0])})" for pair in alike])
        said += f"{', and ' if parts else ''}shows no difference from {others}"
    return f"On {pairs[0].pictures:,} test pictures {name} {said}."


def why(results: Results) -> str:
    """Why this model, in one or two sentences."""
    chosen, words = results.recommended, results.headline.replace("_", " ")
    key = f"validation_{results.headline}"
    value = f"{100 * chosen.figures[key]:.1f} %"
    equal = [one.name for one in results.evaluations if one.figures[key] == chosen.figures[key] and one is not chosen]
    if len(results.evaluations) == 1:
        return f"It is the only model that is turned on; its {words} on the validation pictures is {value}."
    if equal:
        return (
            f"It shares the highest {words} on the validation pictures ({value}) with {listed(equal)}; of equals the "
            "one with the lowest loss there, then the cheapest, is used. The test pictures decided nothing."
        )
    return (
        f"It has the highest {words} on the validation pictures ({value}), which is how it was chosen; "
        "the test pictures decided nothing."
    )


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _needed(pair: Comparison, first: bool) -> str:
    if pair.needed is None:
        return "both are right equally often"
    return f"about {rounded(pair.needed):,}{' pictures would be needed to tell' if first else ''}"


def rounded(count: int) -> int:
    """A count with two digits that count: an estimate is no more exact than that."""
    return int(float(f"{count:.2g}"))

"""The verdict of the report in words: which model, why, and what the test images show of it."""

from dataclasses import replace

import pandas as pd
import pytest

from stages.lib.comparison.choice import Choice
from stages.lib.comparison.comparisons import Comparison
from stages.lib.comparison.evaluations import Evaluation, Results
from stages.lib.evaluation.intervals import Interval
from stages.lib.page.render import p_value, signed
from stages.lib.page.verdict import verdict, why

ON = "on the 24 validation images"
ONLY = Choice("chosen", "chosen", {"chosen": 0.9}, 50, None)


def compared(other: str, p: float, only_one: int = 9, only_other: int = 1, needed: int | None = 1234) -> Comparison:
    value = (only_one - only_other) / 100
    return Comparison(
        "chosen", other, 100, only_one, only_other, Interval(value, value - 0.06, value + 0.06), p, needed
    )


def evaluated(name: str, **figures) -> Evaluation:
    return Evaluation(name, figures, {}, *[pd.DataFrame()] * 7)


def results_of(*pairs: Comparison, headline="accuracy", choice: Choice = ONLY) -> Results:
    others = [evaluated(pair.other) for pair in pairs]
    return Results([evaluated("chosen"), *others], headline, evaluated("chosen"), list(pairs), choice)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "No other model was measured to compare chosen with."),
        ([compared("a", 0.01)], "On 100 test images chosen is better than a."),
        (
            [compared("a", 0.01), compared("b", 0.01, 1, 9)],
            "On 100 test images chosen is better than a and worse than b.",
        ),
        (
            [compared("a", 0.01), compared("b", 0.2), compared("c", 0.2), compared("d", 0.9, 4, 4, None)],
            "On 100 test images chosen is better than a, and shows no difference from b (about 1,200 images would "
            "be needed to tell), c (about 1,200) and d (both are right equally often).",
        ),
    ],
)
def test_the_verdict_is_one_plain_sentence(pairs, said):
    assert verdict(results_of(*pairs)) == said


def test_rounding_never_says_that_there_are_enough_images():
    pair = replace(compared("a", 0.2, needed=104), images=101)
    assert "shows no difference from a (about 104 images" in verdict(results_of(pair))
    assert "shows no difference from a (about 100 images" in verdict(results_of(replace(pair, images=99)))


def test_the_verdict_says_when_it_is_of_the_balanced_accuracy():
    pair = replace(compared("a", 0.01), measure="balanced_accuracy")
    said = "By balanced accuracy on 100 test images chosen is better than a."
    assert verdict(results_of(pair, headline="balanced_accuracy")) == said


@pytest.mark.parametrize(
    ("figures", "chosen", "beside", "said"),
    [
        (
            {"a": 0.9},
            "a",
            None,
            "It is the only model that was measured; its accuracy on the 24 validation images is 90.0 %.",
        ),
        (
            {"a": 0.9, "b": 0.8},
            "a",
            None,
            "It has the highest accuracy on the 24 validation images (90.0 %), and is the cheapest.",
        ),
        (
            {"a": 0.8, "b": 0.9, "c": 0.9, "d": 0.9},
            "b",
            None,
            f"It has the highest accuracy {ON} (90.0 %, shared with c and d), and no cheaper model is within one "
            "standard error of that.",
        ),
        (
            {"a": 0.7, "b": 0.85, "c": 0.9},
            "b",
            compared("b", 0.4567),
            f"It is the cheapest model within one standard error of the highest accuracy {ON}: 85.0 % beside 90.0 % of "
            "c. So small a difference may well be chance (paired test: p 0.46; one standard error is p 0.32).",
        ),
    ],
)
def test_the_reason_says_how_it_was_chosen(figures, chosen, beside, said):
    best = max(figures, key=lambda name: figures[name])
    decided = " The test images decided nothing." if figures.keys() - {chosen} else ""
    assert why(results_of(choice=Choice(chosen, best, figures, 24, beside))) == said + decided


def test_figures_are_written_as_people_write_them():
    assert [signed(share) for share in (0.0123, -0.0123, 0.0001, -0.0001)] == [
        "+1.2",
        "\N{MINUS SIGN}1.2",
        "0.0",
        "0.0",
    ]
    assert [p_value(p) for p in (1e-9, 0.0042, 0.5)] == ["<\N{NO-BREAK SPACE}0.001", "0.004", "0.50"]

"""The verdict of the report in words: which model, why, and what the test pictures show of it."""

import pandas as pd
import pytest

from stages.lib.comparisons import Comparison
from stages.lib.evaluations import Evaluation, Results, best
from stages.lib.metrics import Interval
from stages.lib.page import p_value, signed
from stages.lib.report_verdict import verdict, why


def compared(other: str, p: float, only_one: int = 9, only_other: int = 1, needed: int | None = 1234) -> Comparison:
    return Comparison("chosen", other, 100, only_one, only_other, Interval(0.08, 0.02, 0.14), p, needed)


def results_of(*pairs: Comparison, **figures) -> Results:
    one = Evaluation("chosen", {"validation_accuracy": 0.9} | figures, {}, *[pd.DataFrame()] * 6)
    others = [
        Evaluation(pair.other, {"validation_accuracy": 0.8} | figures, {}, *[pd.DataFrame()] * 6) for pair in pairs
    ]
    return Results([one, *others], "accuracy", one, list(pairs))


def test_the_recommended_model_is_the_best_on_validation_then_the_surest_then_the_cheapest():
    def figures(accuracy, loss, balanced=0.5):
        return {"validation_accuracy": accuracy, "validation_loss": loss, "validation_balanced_accuracy": balanced}

    good, sure, poor, fair = figures(0.9, 0.5), figures(0.9, 0.4), figures(0.8, 0.1), figures(0.7, 0.5, 0.7)
    assert best({"scratch": poor, "fine_tuned": good}, "accuracy") == "fine_tuned"
    assert best({"scratch": good, "fine_tuned": sure}, "accuracy") == "fine_tuned"
    assert best({"fine_tuned": good, "scratch": good}, "accuracy") == "scratch"
    assert best({"fine_tuned": good, "scratch": fair}, "balanced_accuracy") == "scratch"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "There is no other model to compare chosen with."),
        ([compared("a", 0.01)], "On 100 test pictures chosen is better than a."),
        (
            [compared("a", 0.01), compared("b", 0.01, 1, 9)],
            "On 100 test pictures chosen is better than a and worse than b.",
        ),
        (
            [compared("a", 0.01), compared("b", 0.2), compared("c", 0.2), compared("d", 0.9, 4, 4, None)],
            "On 100 test pictures chosen is better than a, and shows no difference from b (about 1,200 pictures would "
            "be needed to tell), c (about 1,200) and d (both are right equally often).",
        ),
    ],
)
def test_the_verdict_is_one_plain_sentence(pairs, said):
    assert verdict(results_of(*pairs)) == said


def test_the_reason_names_equals():
    assert "only model" in why(results_of())
    assert "highest accuracy on the validation pictures (90.0 %)" in why(results_of(compared("a", 0.5)))
    equal = results_of(compared("a", 0.5), validation_accuracy=0.7)
    assert "shares the highest accuracy on the validation pictures (70.0 %) with a" in why(equal)


def test_figures_are_written_as_people_write_them():
    assert [signed(share) for share in (0.0123, -0.0123, 0.0001, -0.0001)] == [
        "+1.2",
        "\N{MINUS SIGN}1.2",
        "0.0",
        "0.0",
    ]
    assert [p_value(p) for p in (1e-9, 0.0042, 0.5)] == ["<\N{NO-BREAK SPACE}0.001", "0.004", "0.50"]

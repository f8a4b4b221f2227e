"""What is said of an image beside probabilities, and what a file may say of it."""

import numpy as np
import pytest

from smallset.inference import decisions as deciding
from smallset.inference.decisions import Decisions


def test_what_is_no_number_is_never_sure() -> None:
    rule = Decisions(unsure_below=0.8, unknown_above=2.0)
    likely = np.array([[0.9, 0.1], [0.7, 0.3], [0.7, 0.3], [0.9, 0.1]])
    assert rule.decided(likely, np.array([2.0, 1, 3, np.nan])) == ["sure", "unsure", "unknown", "unknown"]
    assert rule.decided(likely) == ["sure", "unsure", "unsure", "sure"]
    assert Decisions().decided(np.full((1, 2), np.nan)) == ["unsure"]


def test_a_limit_itself_is_within() -> None:
    rule = Decisions(criterion="f1", of_class=1, threshold=0.25, unsure_below=0.25, unknown_above=2.0)
    likely = np.array([[0.75, 0.25], [0.8, 0.2]])
    assert rule.predicted(likely).tolist() == [1, 0]
    assert rule.decided(likely, np.array([2.0, 2.0])) == ["sure", "sure"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("criterion", value) for value in (None, "fastest", ["f1"], 1)),
        *(("of_class", value) for value in (2, -1, True, 0.0, "b")),
        *(("threshold", value) for value in (0.5, float("nan"))),
        *(("costs", value) for value in ([[0, 1], [1, 0]], "x")),
        *(("temperature", value) for value in (0, -1, None, float("inf"), 10**400, True)),
        *(("unsure_below", value) for value in (-0.1, 2.1, "0.5", float("nan"))),
        *(("unknown_above", value) for value in (-1, float("inf"), [1])),
        *(("reasons", value) for value in (None, "said", [1])),
    ],
)
def test_damaged_decisions_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"^decisions\.\w+: "):
        deciding.read(Decisions().as_dict() | {"reasons": [], key: value}, 2)


@pytest.mark.parametrize(
    "costs", [None, [[0, 1]], [[0, 1], [1, -1]], [[0, 1], [1, float("nan")]], [[0, 1, 2], [1, 0, 2]]]
)
def test_a_cost_for_each_error_is_needed(costs: object) -> None:
    with pytest.raises(ValueError, match=r"^decisions\.costs: "):
        deciding.read(Decisions().as_dict() | {"reasons": [], "criterion": "cost", "costs": costs}, 2)


def test_decisions_that_are_no_object_are_refused() -> None:
    with pytest.raises(ValueError, match="expected an object"):
        deciding.read([1], 2)

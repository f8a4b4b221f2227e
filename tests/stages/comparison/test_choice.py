"""Which model is recommended: the cheapest that the validation images do not tell from the best."""

import numpy as np
import pytest

from stages.lib.comparison.choice import ONE_ERROR, choose

LOSSES = {"scratch": 0.3, "feature_extraction": 0.2, "fine_tuned": 0.1}


def right_but(wrong: range, images: int) -> np.ndarray:
    """Of a model that gets all but these right."""
    found = np.ones(images, bool)
    found[wrong.start : wrong.stop] = False
    return found


def chosen(*wrongs: range, images: int, labels: np.ndarray | None = None, measure="accuracy"):
    rights = {name: right_but(wrong, images) for name, wrong in zip(LOSSES, wrongs, strict=False)}
    labels = np.zeros(images) if labels is None else labels
    return choose(rights, labels, measure, LOSSES)


@pytest.mark.parametrize(
    ("only_best", "only_cheap", "taken"),
    # Of 24 images. By the binomial distribution: p 1, .5, .25, .625, .375 and .219.
    [
        (1, 0, "scratch"),
        (2, 0, "scratch"),
        (3, 0, "fine_tuned"),
        (3, 1, "scratch"),
        (4, 1, "scratch"),
        (5, 1, "fine_tuned"),
    ],
)
def test_a_cheaper_model_within_one_standard_error_is_taken(only_best, only_cheap, taken):
    rights = {"scratch": right_but(range(only_best), 24), "fine_tuned": right_but(range(10, 10 + only_cheap), 24)}
    found = choose(rights, np.zeros(24), "accuracy", LOSSES)
    assert (found.chosen, found.best, found.images) == (taken, "fine_tuned", 24)
    assert (found.beside is None) == (taken == "fine_tuned")
    assert found.beside is None or found.beside.p_value > ONE_ERROR


def test_many_images_tell_what_few_do_not():
    # The standard error is sqrt(27 + 21) = 6.9 images, and sqrt(30 + 20) = 7.1.
    close, far = range(21, 48), range(20, 50)
    assert chosen(close, close, range(21), images=1000).chosen == "scratch"
    assert chosen(far, far, range(20), images=1000).chosen == "fine_tuned"


def test_the_cheapest_of_those_within_one_standard_error_is_taken_not_the_second_best():
    found = chosen(range(9), range(3), range(2), images=100)
    assert (found.chosen, found.best) == ("feature_extraction", "fine_tuned")
    assert found.figures == pytest.approx({"scratch": 0.91, "feature_extraction": 0.97, "fine_tuned": 0.98})


def test_of_equals_the_cheapest_is_taken_whatever_their_loss():
    found = chosen(range(5), range(5), range(5), images=100)
    assert (found.chosen, found.best) == ("scratch", "fine_tuned")
    assert found.beside is not None
    assert found.beside.difference.value == 0


def test_a_single_model_is_taken():
    assert chosen(range(20), images=20).chosen == "scratch"


def test_the_measure_that_counts_on_the_test_images_decides():
    labels = np.repeat(["rare", "common"], [20, 180])
    # `scratch` never finds the rare class, `fine_tuned` does, at the price of more mistakes altogether.
    wrongs = range(20), range(50, 100), range(40, 70)
    assert chosen(*wrongs, images=200, labels=labels, measure="balanced_accuracy").chosen == "fine_tuned"
    assert chosen(*wrongs, images=200, labels=labels).chosen == "scratch"
    found = chosen(*wrongs, images=200, labels=labels, measure="balanced_accuracy").figures
    assert found["scratch"] == 0.5
    assert found["fine_tuned"] == pytest.approx((1 + 150 / 180) / 2)


def test_figures_that_differ_by_rounding_alone_are_equal():
    """Of classes of 3, 3 and 9 images: 1, 3 and 9 right, or 3, 3 and 3, are both seven ninths."""
    labels = np.repeat([0, 1, 2], [3, 3, 9])
    rights = {
        name: np.concatenate([np.arange(images) < one for one, images in zip(counts, (3, 3, 9), strict=True)])
        for name, counts in (("scratch", (3, 3, 3)), ("fine_tuned", (1, 3, 9)))
    }
    found = choose(rights, labels, "balanced_accuracy", LOSSES)
    assert found.figures["scratch"] > found.figures["fine_tuned"], "else nothing is rounded"
    assert found.best == "fine_tuned"


def test_whether_a_difference_may_be_chance_is_asked_of_the_measure_that_counts():
    """Two of ten rare images: of the accuracy that is nothing, of the balanced accuracy more than its error."""
    labels = np.repeat(["rare", "common"], [10, 190])
    assert chosen(range(2), range(2), range(0), images=200, labels=labels).chosen == "scratch"
    assert (
        chosen(range(2), range(2), range(0), images=200, labels=labels, measure="balanced_accuracy").chosen
        == "fine_tuned"
    )

"""What the report says to know before its model is relied on, each with what to do about it."""

import numpy as np
import pandas as pd
import pytest

from stages.lib.comparison.choice import choose
from stages.lib.comparison.comparisons import compare_all, measure_of
from stages.lib.comparison.evaluations import Evaluation, Results
from stages.lib.evaluation.metrics import accuracy, balanced_accuracy
from stages.lib.page.cautions import advised_against, cautions


def results_of(
    shares: dict[str, float],
    tested: dict[str, int] | None = None,
    validation: int = 50,
    recommended: str = "scratch",
    classes: tuple[str, ...] = ("cat", "dog"),
    best_epoch: int = 2,
) -> Results:
    """Models that are right on such a share of each class, the errors of each spread in another way."""
    labels = np.repeat(list(tested or {"cat": 50, "dog": 50}), list((tested or {"cat": 50, "dog": 50}).values()))
    names = np.array(sorted(set(labels)))
    rng, found = np.random.default_rng(0), {}
    for name, share in shares.items():
        right = np.zeros(len(labels), bool)
        for label in names:
            places = rng.permutation(np.flatnonzero(labels == label))
            right[places[: round(share * len(places))]] = True
        numbers = np.searchsorted(names, labels)
        said = np.where(right, numbers, (numbers + 1) % len(names))
        figures = {}
        for key, one in (("accuracy", accuracy(right)), ("balanced_accuracy", balanced_accuracy(numbers, said))):
            figures |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
        table = pd.DataFrame({"label": labels, "predicted": names[said]})
        summary = {"classes": list(classes), "epochs": 3, "best_epoch": best_epoch}
        found[name] = Evaluation(name, figures, summary, table, *[pd.DataFrame()] * 6)
    held_out = {name: np.ones(validation, bool) for name in shares}
    choice = choose(held_out, np.zeros(validation), "accuracy", dict.fromkeys(shares, 0.1))
    pairs = compare_all({name: one.right for name, one in found.items()}, labels)
    return Results(list(found.values()), measure_of(labels), found[recommended], pairs, choice)


def test_nothing_doubtful_brings_no_caution():
    assert cautions(results_of({"scratch": 0.96, "fine_tuned": 0.6})) == []
    assert cautions(results_of({"scratch": 0.9})) == []


def test_what_comes_from_elsewhere_comes_first():
    found = cautions(results_of({"scratch": 0.9}, validation=9), ["The backbone has seen no photographs."])
    assert found[0] == "The backbone has seen no photographs."
    assert len(found) == 2


@pytest.mark.parametrize(("validation", "warned"), [(5, True), (49, True), (50, False)])
def test_few_validation_images(validation, warned):
    found = cautions(results_of({"scratch": 0.9}, validation=validation))
    assert (f"Only {validation} validation images" in " ".join(found)) is warned
    assert not warned or "split.validation" in found[0]


@pytest.mark.parametrize(
    ("kept", "chosen"),
    [
        ({"scratch": "best"}, "the epoch that is kept"),
        ({"feature_extraction": None, "fine_tuned": "last"}, "the model"),
        ({"feature_extraction": None, "fine_tuned": "best"}, "the model and the epoch that is kept"),
        ({"scratch": "best", "fine_tuned": "best"}, "the model and the epochs that are kept"),
    ],
)
def test_what_few_validation_images_chose_is_what_they_chose(kept, chosen):
    results = results_of(dict.fromkeys(kept, 0.9), validation=9, recommended=next(iter(kept)))
    for one in results.evaluations:
        one.summary.update({"kept": kept[one.name]} if kept[one.name] else {"epochs": 0, "best_epoch": None})
    assert f"Only 9 validation images chose {chosen}: " in " ".join(cautions(results))


def test_where_nothing_was_chosen_no_image_chose_it():
    results = results_of({"feature_extraction": 0.9}, validation=5, recommended="feature_extraction")
    results.recommended.summary["epochs"] = 0
    assert "chose the model" not in " ".join(cautions(results))


@pytest.mark.parametrize(("each", "warned"), [(6, True), (49, True), (50, False)])
def test_few_test_images(each, warned):
    found = cautions(results_of({"scratch": 1.0}, {"cat": each, "dog": each}))
    assert (f"Only {2 * each} test images measured it: accuracy may be anything from " in " ".join(found)) is warned
    assert not warned or "split.test" in found[0]


@pytest.mark.parametrize(
    ("share", "tested", "beside"),
    [
        (0.54, {"cat": 50, "dog": 50}, "always saying cat: accuracy from 43.8 to 63.9 % beside 50.0 %."),
        (0.58, {"cat": 50, "dog": 50}, "always saying cat: accuracy from 47."),
        (0.7, {"cat": 30, "dog": 80}, "always saying dog: accuracy from 60.4 to 78.2 % beside 72.7 %."),
        (0.55, {"cat": 20, "dog": 200}, "always saying dog: balanced accuracy from"),
        (0.9, {"cat": 30, "dog": 80}, None),
        (0.9, {"cat": 20, "dog": 200}, None),
    ],
)
def test_a_model_that_is_no_better_than_the_largest_class(share, tested, beside):
    found = " ".join(cautions(results_of({"scratch": share}, tested)))
    assert (beside in found) if beside else ("always saying" not in found)
    assert not beside or "Do not use it" in found


def test_all_models_alike():
    found = cautions(results_of({"scratch": 0.9, "feature_extraction": 0.88, "fine_tuned": 0.86}))
    assert len(found) == 1
    assert found[0].startswith("These test images show no difference between any two models; about ")
    assert "That scratch is recommended rests on the validation images alone" in found[0]
    assert "between the two models" in cautions(results_of({"scratch": 0.9, "fine_tuned": 0.9}))[0]


def test_a_model_that_is_not_recommended_and_has_the_higher_test_figure():
    found = cautions(results_of({"scratch": 0.6, "feature_extraction": 0.7, "fine_tuned": 0.98}))
    [said] = [caution for caution in found if "higher accuracy" in caution]
    assert said.startswith(
        "fine_tuned has the higher accuracy on the test images (98.0 % beside 60.0 %, and is better) and is not "
    )
    assert "split.validation" in said
    [said] = [text for text in cautions(results_of({"scratch": 0.9, "fine_tuned": 0.92})) if "higher" in text]
    assert "92.0 % beside 90.0 %, which may be chance" in said


def test_figures_that_differ_by_rounding_alone_are_equal():
    results = results_of({"scratch": 0.9, "fine_tuned": 0.9})
    results.evaluations[1].figures["accuracy"] += 1e-16
    assert "higher" not in " ".join(cautions(results))


def test_the_last_epoch_names_the_parameters():
    shares = {"scratch": 0.96, "fine_tuned": 0.6}
    [said] = cautions(results_of(shares, best_epoch=3))
    assert "(3 of scratch and 3 of fine_tuned)" in said
    assert said.endswith("Raise scratch.epochs and fine_tuned.epochs.")


def test_a_test_of_one_class_alone_says_nothing_for_a_model():
    results = results_of({"scratch": 1.0}, {"cat": 100})
    assert advised_against(results)
    assert "Always saying cat would be right on all of them: do not use it." in " ".join(cautions(results))
    assert not advised_against(results_of({"scratch": 0.9}, classes=("cat", "dog", "owl")))


def test_a_class_without_test_images():
    [said] = cautions(results_of({"scratch": 0.9}, classes=("cat", "dog", "owl")))
    assert said.startswith("No test image is of class owl: nothing is known about it, and no figure counts it.")
    many = ("cat", "dog", *(f"owl{number}" for number in range(9)))
    assert "classes owl0, owl1, owl2, owl3, owl4 and 4 more classes: nothing is known about them" in " ".join(
        cautions(results_of({"scratch": 0.9}, classes=many))
    )

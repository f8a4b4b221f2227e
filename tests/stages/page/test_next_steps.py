"""What the report says to do next: in order, with the key or the command, and only what its figures show."""

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from stages.lib.page.cautions import cautions
from stages.lib.page.next_steps import Known, next_steps, sentences
from stages.lib.training.batches import passes

RESULTS_OF = runpy.run_path(str(Path(__file__).with_name("test_cautions.py")))["results_of"]
TWICE = {"gain": 0.02, "gain_low": 0.01, "gain_high": 0.03, "value": 0.92}
WEAKEST = {"class": "cat", "images": 104, "recall": 0.7, "others": 0.95, "stands_out": True}
FOUND = {"measure": "accuracy", "value": 0.9, "images": 200, "of": 200, "twice": TWICE, "weakest": WEAKEST}
PARAMETERS = {"backbone": {"enabled": True, "candidates": []}}


def known(
    procedure: dict | None = None, suspects: int = 0, side: float = 20, parameters=None, trained: int = 100, **about
) -> Known:
    """A model without a fault on 100 test images, 0.9 of them right, unless told otherwise; it sees 18 pixels."""
    results = RESULTS_OF(**{"shares": {"scratch": 0.9}} | about)
    for one in results.evaluations:
        one.summary["image_size"] = 18
    return Known(results, procedure, suspects, side, parameters or {}, trained)


def what(found: Known) -> list[str]:
    return [step.what for step in next_steps(found)]


def test_nothing_is_asked_for_where_nothing_is_shown():
    assert what(known(shares={"scratch": 1.0}, parameters=PARAMETERS)) == []


def test_images_are_counted_and_of_the_class_that_needs_them():
    (step,) = next_steps(known(FOUND))
    assert step.what == "Add about 100 images of cat"
    assert (
        "twice the images of every class is shown to help: +2.0 points, from 90.0 to about 92.0 % in cross-validation."
        in step.why
    )
    assert "70.0 % of this class are found" in step.why
    assert step.section == "more-images"
    all_classes = FOUND | {"weakest": WEAKEST | {"stands_out": False}}
    assert what(known(all_classes)) == ["Add about 200 images"]
    unsure = FOUND | {"twice": TWICE | {"gain_low": -0.01}}
    assert "is likely to help, not shown to" in next_steps(known(unsure))[0].why
    assert what(known(FOUND | {"twice": TWICE | {"gain": 0.001}})) == []
    assert what(known(FOUND | {"twice": None})) == ["Add images"]
    drawn = known(all_classes, parameters={"download": {"source": "sample", "sample_per_class": 600}})
    assert next_steps(drawn)[0].how == "download.sample_per_class: 1200"
    assert next_steps(known(FOUND | {"of": 9000}))[0].how == "cross_validation.images: 9000"


def test_many_disputed_labels_come_before_images_and_few_after():
    assert what(known(FOUND, suspects=9)) == ["Look at 9 labels", "Add about 100 images of cat"]
    assert what(known(FOUND, suspects=1)) == ["Add about 100 images of cat", "Look at 1 label"]
    own = known(suspects=1, parameters={"download": {"source": "folder"}})
    assert "data/label_issues.csv" in next_steps(own)[0].how
    assert "wrong folder" in next_steps(own)[0].why


def test_too_few_images_to_test_or_choose_by():
    few = known(tested={"cat": 20, "dog": 20}, validation=9, shares={"scratch": 0.9, "fine_tuned": 0.8})
    assert what(few) == ["Test on at least 100 images", "Choose by at least 50 images"]
    assert [step.how.split(",")[0] for step in next_steps(few)] == ["split.test", "split.validation"]


def test_what_the_figures_rest_on_comes_first():
    assert what(known(FOUND, shares={"scratch": 0.5}))[0] == "Look at the labels and the wrong images"
    assert what(known(FOUND, classes=("cat", "dog", "owl")))[0] == "Add images of owl"


@pytest.mark.parametrize(
    ("epochs", "best", "more", "said"),
    [
        (30, 30, {}, ["scratch.epochs: 60"]),
        (30, 30, {"kept": "last"}, []),
        (30, 4, {}, ["scratch.early_stopping: 5"]),
        (30, 20, {}, []),
        (8, 1, {}, []),
        (0, None, {}, []),
    ],
)
def test_a_late_best_epoch_asks_for_more_and_an_early_one_for_fewer(epochs, best, more, said):
    found = known()
    found.results.recommended.summary.update({"epochs": epochs, "best_epoch": best} | more)
    assert [step.how for step in next_steps(found)] == said
    stopping = replace(found, parameters={"scratch": {"early_stopping": 3}})
    assert "early_stopping" not in " ".join(step.how for step in next_steps(stopping))


@pytest.mark.parametrize(
    ("trained", "least", "said"),
    [
        (100, 200, "scratch.epochs: 60, scratch.min_steps: 400"),
        (450, 200, "scratch.epochs: 60"),
        (380, 170, "scratch.epochs: 60"),  # six steps an epoch, the last of 60 images, are 180 in 30 epochs
        (100, None, "scratch.epochs: 60"),
    ],
)
def test_what_is_to_train_longer_gets_twice_the_steps(trained, least, said):
    """Of few images `min_steps` says how long it trains: 30 epochs and 60 have about as many steps."""
    own = {"epochs": 30, "min_steps": least, "early_stopping": 5}
    found = known(parameters={"common": {"batch_size": 64}, "scratch": own}, trained=trained)
    found.results.recommended.summary.update({"epochs": 30, "best_epoch": 30})
    assert [step.how for step in next_steps(found)] == [said]
    [caution] = [one for one in cautions(found.results, (), found.parameters, trained) if "longer" in one]
    keys = re.findall(r"scratch\.\w+", said)
    assert caution.endswith(f"Raise {' and '.join(keys)}.")
    values = {"epochs": 30, "min_steps": least} | {key: int(value) for key, value in re.findall(r"(\w+): (\d+)", said)}
    before, after = (one["epochs"] * passes(trained, 64, one["epochs"], one["min_steps"]) for one in (own, values))
    assert after == 2 * before


def test_larger_images_and_another_backbone():
    found = next_steps(known(side=36, parameters=PARAMETERS))
    assert [step.what for step in found] == ["Let the models see more", "Try another backbone"]
    assert found[0].how.startswith("common.image_size: 36")
    asked = {"backbone": {"enabled": True, "candidates": ["a", "b"]}}
    assert what(known(side=35, parameters=asked)) == []
    assert sentences(found)[0].startswith("Let the models see more: the models see 18 x 18 pixels")

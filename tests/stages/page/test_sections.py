"""Parts of the report by themselves: the title, where a model fails, thresholds, the order of the classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.comparison.evaluations import Evaluation, called, title_of
from stages.lib.core.outputs import disable, write_json
from stages.lib.page import classes, failures, render, threshold
from stages.lib.page.decided import decided
from stages.lib.page.sections import SECTIONS
from stages.lib.page.subject import subject

TEMPLATES = Path(classes.__file__).with_name("templates")


def evaluated(labels: list[str], predicted: list[str], sure: list[float], names: str = "abc") -> Evaluation:
    """A model on images of the classes a, b and c, with figures of each class as `evaluate` has them."""
    probabilities = np.full((len(labels), len(names)), (1 - np.array(sure)[:, None]) / (len(names) - 1))
    probabilities[range(len(labels)), [names.index(name) for name in predicted]] = sure
    table = pd.DataFrame({"path": [f"{place}.png" for place in range(len(labels))], "label": labels})
    table = table.assign(
        predicted=predicted, **{f"p_{name}": probabilities[:, place] for place, name in enumerate(names)}
    )
    right = table["label"] == table["predicted"]
    rows = [(name, int((table["label"] == name).sum()), right[table["label"] == name].mean()) for name in names]
    per_class = pd.DataFrame(rows, columns=["class", "images", "recall"]).fillna(0.0)
    per_class = per_class.assign(recall_low=0.0, recall_high=per_class["recall"], f1=0.5)
    rest = [pd.DataFrame()] * 2
    return Evaluation("scratch", {}, {"classes": list(names)}, table, *rest, per_class, *[pd.DataFrame()] * 3)


MODEL = evaluated(["a", "a", "a", "a", "b", "b"], ["a", "b", "b", "c", "b", "b"], [0.9, 0.5, 0.8, 0.6, 0.7, 0.99])


def test_the_largest_confusions_come_with_the_images_the_model_was_surest_of(monkeypatch):
    monkeypatch.setattr(failures, "embedded_all", lambda sources, side: [str(one) for one in sources])
    found = failures.failures(MODEL, Path("data"))
    first, second = found.mistakes
    assert (first.actual, first.predicted, first.images, first.of) == ("a", "b", 2, 4)
    assert [one.path for one in first.examples] == ["2.png", "1.png"]
    assert (second.predicted, second.images) == ("c", 1)


def test_the_weakest_class_is_one_that_was_tested_and_stands_out_or_not():
    found = failures.failures(evaluated(["a", "a", "b"], ["a", "a", "b"], [0.9] * 3), Path("data"))
    assert found.mistakes == []
    assert found.weakest is None, "where all are found alike, none is"
    few = evaluated(["a"] * 5 + ["b"] * 5, ["b"] + ["a"] * 4 + ["b"] * 5, [0.9] * 10)
    assert not failures._weakest(few).stands_out, "one error of five is chance"
    many = evaluated(["a"] * 50 + ["b"] * 50, ["b"] * 40 + ["a"] * 10 + ["b"] * 50, [0.9] * 100)
    assert failures._weakest(many).stands_out
    assert failures.failures(evaluated(["a"], ["a"], [0.9]), Path("data")).weakest is None


def test_classes_of_which_an_equal_share_is_found_are_found_alike_however_their_table_is_rounded():
    labels, said = ["a"] * 3 + ["b"] * 3, ["a", "b", "b", "b", "a", "a"]
    one = evaluated(labels, said, [0.9] * 6)
    assert failures._weakest(replace(one, per_class=one.per_class.round(7))) is None


def test_of_many_equal_classes_the_one_that_is_found_least_may_be_chance():
    """Of 52 classes of ten images, each found nine times in ten, one is found six times in ten: as often as not."""
    names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    labels = [name for name in names for _ in range(10)]
    wrong = [place < (4 if name == "c" else 1) for name in names for place in range(10)]
    said = [("b" if name == "a" else "a") if is_wrong else name for name, is_wrong in zip(labels, wrong, strict=True)]
    found = failures._weakest(evaluated(labels, said, [0.9] * len(labels), names))
    assert (found.name, found.recall) == ("c", 0.6)
    assert not found.stands_out


def test_a_class_of_few_images_that_is_found_least_by_chance_hides_none_that_stands_out():
    labels = ["a"] * 3 + ["b"] * 200 + ["c"] * 200
    said = ["c", "c", "a"] + ["c"] * 80 + ["b"] * 120 + ["c"] * 200
    found = failures._weakest(evaluated(labels, said, [0.9] * len(labels)))
    assert (found.name, found.images, found.stands_out) == ("b", 200, True)


def test_classes_go_from_the_worst_to_the_best_and_those_without_an_image_come_last():
    assert classes.per_class(MODEL).table["class"].tolist() == ["a", "b", "c"]
    other = evaluated(["a", "b", "b"], ["a", "a", "a"], [0.9] * 3)
    assert classes.per_class(other).table["class"].tolist() == ["b", "a", "c"]


def test_thresholds_count_what_is_answered_and_right_of_it():
    found = threshold.thresholds(MODEL)
    assert [found.rows[place].images for place in (0, 50, 60, 61, 85, 99)] == [6, 6, 5, 4, 2, 1]
    assert found.rows[0].right == pytest.approx(0.5)
    assert found.rows[85].right == 1
    assert found.rows[85].low < 1
    assert found.start == 60
    none = threshold.thresholds(evaluated(["a"], ["a"], [0.5])).rows[99]
    assert (none.images, none.right) == (0, None)


def test_thresholds_of_the_model_in_use_are_those_of_its_bundle():
    """With its temperature and its rule, as `smallset predict` says it."""
    answers = MODEL.predictions[["path", "label"]].assign(predicted="a", probability=[0.6, 0.6, 0.6, 0.6, 0.4, 0.4])
    found = threshold.thresholds(MODEL, answers)
    assert [found.rows[place].images for place in (0, 50, 61)] == [6, 4, 0]
    assert (found.rows[0].right, found.rows[50].right) == (pytest.approx(4 / 6), 1)


def test_limits_that_are_not_there_leave_the_section_out(tmp_path):
    """The first page is made before they are chosen; of another model they say nothing."""
    assert decided(tmp_path / "missing", "scratch", ["a", "b"]) is None
    write_json({"model": "fine_tuned"}, tmp_path / "figures.json")
    assert decided(tmp_path, "scratch", ["a", "b"]) is None
    disable(tmp_path / "off", "decisions")
    assert decided(tmp_path / "off", "scratch", ["a", "b"]) is None


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat", "dog"], "cat or dog"),
        (["a", "b", "c", "d"], "a, b, c or d"),
        ([f"{place:03}" for place in range(210)], "210 classes: 000, 001, 002 and 207 more"),
        (["x" * 99, "y"], f"{'x' * 31}\N{HORIZONTAL ELLIPSIS} or y"),
    ],
)
def test_the_task_is_named_by_its_classes(names, said):
    assert subject(names, 1, {}).task == said


@pytest.mark.parametrize(
    ("download", "said"),
    [
        ({"source": "folder", "path": "/home/me/my birds"}, "images of my birds"),
        ({"source": "url", "url": "https://me:secret@example.org/a/birds.zip?token=x"}, "images of birds.zip"),
        ({"source": "url", "url": "https://me:secret@example.org"}, "images of example.org"),
        ({"source": "sample"}, "drawn images"),
        ({"source": "kaggle", "competition": "dogs-vs-cats"}, "images of dogs-vs-cats, Kaggle"),
        ({}, "images"),
    ],
)
def test_the_data_are_named_without_secrets_and_folders_above(download, said):
    assert subject(["a", "b"], 1, {"download": download}).data == said


def test_models_have_plain_names_and_unknown_ones_their_own():
    assert (title_of("fine_tuned"), called("fine_tuned")) == ("Fine-tuned network", "the fine-tuned network")
    assert (title_of("a_sixth"), called("a_sixth")) == ("a_sixth", "a_sixth")


def test_every_section_has_a_template_with_its_heading():
    for section in SECTIONS:
        assert f'id="{section.key}"' in (TEMPLATES / section.template).read_text(encoding="utf-8")


def test_a_name_cannot_turn_the_direction_of_writing_or_hide():
    environment = render._environment()
    text = environment.from_string("<b title='{{ name }}'>{{ name | breakable }} {{ name }}</b>{{ lines }}")
    said = text.render(name="cat\u202egod\u200b", lines="one\ntwo 5\N{NO-BREAK SPACE}%")
    assert "\u202e" not in said
    assert said.count("cat\\u202egod\\u200b") == 3
    assert said.endswith("one\ntwo 5\N{NO-BREAK SPACE}%")

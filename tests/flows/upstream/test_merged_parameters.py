"""params.yaml merged by key: own values, new defaults, comments of the newer pipeline."""

import pytest

from flows.project.parameters import load
from flows.upstream.merged_parameters import Merged, merge

BASE = """\
# Of the pipeline.
split:
  train: 0.4     # share
  limit: 4       # bits
  order: shuffle # as they come

model:
  epochs: 3
  augmentation: null
"""
NEWER = """\
# Of the newer pipeline.
split:
  train: 0.4     # share of each class
  limit: 2.5     # difference
  group: null    # what stays together

model:
  epochs: 5
  augmentation: null
  optimizer:     # new
    name: adam
    rate: 1e-5
"""


def merged(*changes: tuple[str, str], base: str = BASE, newer: str = NEWER) -> Merged:
    ours = base
    for old, new in changes:
        assert old in ours
        ours = ours.replace(old, new)
    return merge(base, ours, newer)


def test_without_values_of_ones_own_it_is_the_newer_one() -> None:
    found = merged()
    assert found.text == NEWER
    assert not found.kept
    assert found.new == {"split.group": None, "model.optimizer.name": "adam", "model.optimizer.rate": 1e-5}
    assert found.defaults == {"split.limit": (4, 2.5), "model.epochs": (3, 5)}
    assert found.gone == {"split.order": None}


def test_own_values_stay_with_the_newer_comments_and_what_has_gone_is_told_with_its_value() -> None:
    found = merged(("train: 0.4", "train: 100"), ("limit: 4", "limit: 6"), ("order: shuffle", "order: hash"))
    assert load(found.text)["split"] == {"train": 100, "limit": 6, "group": None}
    assert "# share of each class" in found.text
    assert "# what stays together" in found.text
    assert found.kept == {"split.train": 100, "split.limit": 6}
    assert found.both == {"split.limit": (4, 2.5)}
    assert found.gone == {"split.order": "hash"}
    assert "split.limit" not in found.defaults


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        ("augmentation: null", "augmentation: {flip: true}", ("model", "augmentation"), {"flip": True}),
        ("epochs: 3", "epochs: 3.0", ("model", "epochs"), 3.0),
        ("epochs: 3", "epochs: null", ("model", "epochs"), None),
        ("epochs: 3", "epochs: [1, 2]", ("model", "epochs"), [1, 2]),
        ("epochs: 3", "epochs: 3\n  own: 7", ("model", "own"), 7),
        ("model:", "own:\n  key: on\nmodel:", ("own", "key"), "on"),
        ("epochs: 3", "epochs: '007'", ("model", "epochs"), "007"),
    ],
)
def test_an_own_value_of_any_kind_stays_what_it_is(old: str, new: str, key: tuple[str, str], value: object) -> None:
    found = load(merged((old, new)).text)[key[0]][key[1]]
    assert found == value
    assert type(found) is type(value)


def test_a_section_that_has_gone_is_told_key_by_key_and_a_key_that_was_taken_out_comes_back() -> None:
    found = merged(("epochs: 3", "epochs: 9"), ("  train: 0.4     # share\n", ""), newer="split:\n  train: 0.4\n")
    assert load(found.text) == {"split": {"train": 0.4}}
    assert found.gone == {"split.limit": None, "split.order": None, "model.epochs": 9, "model.augmentation": None}
    assert found.new == {"split.train": 0.4}


def test_what_git_has_merged_by_lines_is_taken_only_where_its_values_are_right() -> None:
    ours = BASE.replace("train: 0.4     # share", "train: 100     # share, of our birds")
    right = NEWER.replace("train: 0.4     # share of each class", "train: 100     # share, of our birds")
    assert merge(BASE, ours, NEWER, right).text == right
    assert merge(BASE, ours, NEWER, right).lost == []
    for wrong in (right.replace("100", "0.4"), f"<<<<<<< ours\n{right}", "a: [", None):
        found = merge(BASE, ours, NEWER, wrong)
        assert load(found.text)["split"]["train"] == 100
        assert found.lost == ["share, of our birds"]

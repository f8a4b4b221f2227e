"""Images of one group may err together: then an interval that counts images is narrower than it says."""

import numpy as np
import pandas as pd
import pytest

from stages.lib.core.errors import UserError
from stages.lib.evaluation.intervals import mean_share
from stages.lib.page.grouped import cautions_of, series_cautions
from tests.stages.page.test_cautions import results_of


def told_of(results, images, copies=()) -> list[str]:
    """What is told of these images; each of `copies` is the numbers of some that are copies of one another."""
    rows = [(place, f"{number:064x}") for place, numbers in enumerate(copies, start=1) for number in numbers]
    return cautions_of(results, images, pd.DataFrame(rows, columns=["group", "sha256"]))


def manifest(results, groups) -> pd.DataFrame:
    """The table of the images of `results`, whose tables get their paths; a training image besides."""
    paths = [f"test/{number}.png" for number in range(len(results.labels))]
    for one in results.evaluations:
        one.predictions["path"] = paths
    checksums = [f"{number:064x}" for number in range(len(paths))]
    rows = pd.DataFrame({"path": paths, "group": groups, "subset": "test", "sha256": checksums})
    other = {"path": ["train/0.png"], "group": ["p0"], "subset": ["train"], "sha256": ["f" * 64]}
    return pd.concat([rows, pd.DataFrame(other)])


def test_test_images_in_groups_are_told_with_what_they_are_worth_at_least():
    results = results_of({"scratch": 0.9})
    [told] = told_of(results, manifest(results, [f"p{number // 10}" for number in range(100)]))
    assert told.startswith("100 of the 100 test images lie in 10 groups of several (split.group, or near copies), and")
    # 9 of 10 by Wilson, where 90 of 100 reach from 82.0 to 94.9 %.
    assert "from 59.6 to 98.2 %" in told


def test_of_imbalanced_classes_it_is_balanced_accuracy():
    results = results_of({"scratch": 0.9}, {"cat": 90, "dog": 10})
    [told] = told_of(results, manifest(results, np.repeat(["a", "b", "c", "d"], 25)))
    assert "balanced accuracy may be anything from" in told


def test_of_imbalanced_classes_each_counts_as_many_images_as_its_groups_are_worth():
    """81 of 90 in nine groups, and nine of ten that are a group each: 8.1 of 9 and 9 of 10, not 81 of 90."""
    results = results_of({"scratch": 0.9}, {"cat": 90, "dog": 10})
    [told] = told_of(results, manifest(results, [*np.repeat(list("abcdefghi"), 10), *map(str, range(10))]))
    found = mean_share(np.array([8.1, 9]), np.array([9, 10]))
    assert f"from {100 * found.low:.1f} to {100 * found.high:.1f} %" in told
    alone = mean_share(np.array([81, 9]), np.array([90, 10]))
    assert found.high - found.low > 1.2 * (alone.high - alone.low)


@pytest.mark.parametrize("groups", [[""] * 100, [f"p{number}" for number in range(100)]])
def test_near_copies_in_the_test_are_told_where_they_are_worth_much_less_than_their_number(groups):
    """They stay in one subset, where each is counted by itself: thirty images of one scene are not thirty."""
    results = results_of({"scratch": 0.9})
    few = [[number, number + 1] for number in range(0, 10, 2)]
    assert told_of(results, manifest(results, groups), few) == []
    [told] = told_of(results, manifest(results, groups), [range(10), range(20, 30), range(40, 50)])
    # 100 ** 2 / (70 + 3 * 10 ** 2)
    assert told.startswith("The 100 test images are worth about 27 different ones: near copies ")
    assert "accuracy may be anything from 7" in told
    assert "data/duplicates.csv" in told


def test_a_few_images_in_groups_leave_the_intervals_what_they_are():
    """Such as of one burst among many photographs."""
    results = results_of({"scratch": 0.9})
    assert told_of(results, manifest(results, ["p0"] * 3 + [""] * 97)) == []
    assert told_of(results, manifest(results, ["p0"] * 5 + [""] * 95)) != []


def test_in_groups_copies_count_besides():
    results = results_of({"scratch": 0.9})
    images = manifest(results, ["p0"] * 50 + [""] * 50)
    [alone] = told_of(results, images)
    [told] = told_of(results, images, [range(60, 80)])
    assert alone.startswith("50 of the 100 test images lie in 1 group of several")
    assert told.startswith("70 of the 100 test images lie in 2 groups of several")


def test_images_by_themselves_bring_none():
    results = results_of({"scratch": 0.9})
    assert told_of(results, manifest(results, [""] * 100)) == []
    assert told_of(results, manifest(results, [f"p{number}" for number in range(100)])) == []


def test_one_group_is_told_as_one():
    results = results_of({"scratch": 0.9})
    [told] = told_of(results, manifest(results, ["p"] * 100))
    assert told.startswith("100 of the 100 test images lie in 1 group of several")


def test_an_image_that_is_no_more_is_told_not_raised_as_a_key():
    results = results_of({"scratch": 0.9})
    images = manifest(results, [""] * 100)
    with pytest.raises(UserError, match=r"expected .* no test/0\.png, test/1\.png: run `smallset run` again"):
        told_of(results, images[~images["path"].isin(["test/0.png", "test/1.png"])])


@pytest.mark.parametrize(("apart", "said"), [(1, "At least 1 pair of near copies lies"), (12, "At least 12 pairs of")])
def test_near_copies_in_two_subsets_are_told(apart, said):
    [told] = series_cautions({"test": {"cat": 50, "dog": 50}, "near_copies_apart": apart})
    assert told.startswith(said)
    assert "figures may be too high" in told
    assert told.endswith("Give all of such a series one group (split.group).")


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 pair of near copies of two classes lies"), (2, "2 pairs of near copies of two classes")]
)
def test_near_copies_of_two_classes_are_labels_to_look_at_and_no_series(count, said):
    [told] = series_cautions({"test": {"cat": 50, "dog": 50}, "near_copies_disputed": count})
    assert said in told
    assert "a label of each is likely wrong" in told
    assert "too high" not in told


def test_without_such_pairs_or_with_hardly_any_nothing_is_said():
    assert series_cautions({"test": {"cat": 50, "dog": 50}, "near_duplicates": 3}) == []
    assert series_cautions({"test": {"cat": 50, "dog": 51}, "near_copies_apart": 1}) == [], "too few to matter"

"""Two runs on the same test images: which is better, and how sure that is."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from stages.lib.comparison.comparisons import Comparison
from stages.lib.comparison.paired_accuracies import paired_difference
from stages.lib.comparison.run_comparison import figures, sentence, would_tell
from stages.lib.evaluation.intervals import Interval
from tests.stages.compared_runs import images, predicted


def test_a_better_model_is_called_better_with_the_published_test(runs):
    table = images(200)
    found = runs({"fine_tuned": predicted(table, range(40))}, {"fine_tuned": predicted(table, range(30, 45))})
    change = found.recommended
    assert (change.comparison.only_one, change.comparison.only_other) == (30, 5)
    assert change.comparison.p_value == pytest.approx(binomtest(5, 35).pvalue)
    assert (change.before.value, change.after.value) == (0.8, 0.925)
    assert change.comparison.difference.value == pytest.approx(0.125)
    assert 0 < change.comparison.difference.low < 0.125 < change.comparison.difference.high
    text = sentence(found)
    assert text.startswith(
        "Better: the recommended fine_tuned was right on 80.0 % (v1), the recommended fine_tuned is right on 92.5 % "
    )
    assert "The difference is +12.5 (+6.9 to +18.4) points, " in text
    assert "p < 0.001" in text


def test_the_other_way_round_it_is_worse(runs):
    table = images(200)
    found = runs({"fine_tuned": predicted(table, range(30, 45))}, {"fine_tuned": predicted(table, range(40))})
    assert sentence(found).startswith("Worse: ")
    assert found.recommended.comparison.difference.value == pytest.approx(-0.125)


def test_a_small_difference_is_not_called_one_and_says_what_would_tell(runs):
    table = images(1000)
    found = runs({"fine_tuned": predicted(table, range(22))}, {"fine_tuned": predicted(table, range(3, 22))})
    assert found.recommended.comparison.verdict == "no difference shown"
    needed = found.recommended.comparison.needed
    assert needed > 1000
    assert sentence(found).startswith("No difference shown with these 1,000 test images: ")
    assert sentence(found).endswith(f"About {needed:,} test images would show a difference of this size.")
    assert would_tell(found.recommended.comparison) == needed


@pytest.mark.parametrize(
    ("p_value", "needed", "told"), [(0.2, 1001, 1001), (0.2, 1000, None), (0.01, 1001, None), (0.2, None, None)]
)
def test_more_images_are_asked_for_only_where_these_show_nothing_and_are_fewer(p_value, needed, told):
    comparison = Comparison("one", "other", 1000, 9, 2, Interval(0.007, -0.001, 0.02), p_value, needed)
    assert would_tell(comparison) == told


def test_equal_models_need_no_number_of_images(runs):
    table = images()
    found = runs({"fine_tuned": predicted(table, range(4))}, {"fine_tuned": predicted(table, range(4, 8))})
    assert sentence(found).endswith("Both are right equally often.")


def test_p_values_are_corrected_for_all_models_together(runs):
    table = images(200)
    before = {name: predicted(table, range(12)) for name in ("scratch", "fine_tuned")}
    after = {"scratch": predicted(table, range(2)), "fine_tuned": predicted(table, range(4))}
    p_values = {c.comparison.one: c.comparison.p_value for c in runs(before, after).changes}
    smallest, largest = binomtest(0, 10).pvalue, binomtest(0, 8).pvalue
    assert p_values == pytest.approx({"scratch": 2 * smallest, "fine_tuned": max(2 * smallest, largest)})


def test_rows_are_matched_by_content_not_by_order_or_path(runs):
    table = images(60)
    moved = predicted(table, range(5)).assign(path=[f"elsewhere/{index}" for index in range(60)])
    found = runs({"fine_tuned": predicted(table, range(5))}, {"fine_tuned": moved.sample(frac=1, random_state=1)})
    assert (found.recommended.comparison.only_one, found.recommended.comparison.only_other) == (0, 0)


def test_copies_of_one_image_count_as_often_as_they_are_there(runs):
    table = images(20)
    table.loc[10:19, "sha256"] = table.loc[0:9, "sha256"].to_numpy()
    shuffled = predicted(table, []).sample(frac=1, random_state=2)
    found = runs({"fine_tuned": predicted(table, {3, 13})}, {"fine_tuned": shuffled})
    assert found.images == 20
    assert (found.recommended.comparison.only_one, found.recommended.comparison.only_other) == (2, 0)


def test_an_image_that_is_there_under_two_labels_is_two_rows_whatever_its_paths(runs):
    table = images(20)
    table.loc[1, "sha256"] = table.loc[0, "sha256"]
    moved = predicted(table, {0}).assign(path=table["path"][::-1].to_numpy())
    found = runs({"fine_tuned": predicted(table, {0})}, {"fine_tuned": moved})
    assert (found.recommended.comparison.only_one, found.recommended.comparison.only_other) == (0, 0)


def test_what_the_gate_is_told_is_of_the_new_model_beside_the_old_one(runs):
    table, places = images(200), np.arange(200)
    row = figures(runs({"fine_tuned": predicted(table, range(40))}, {"fine_tuned": predicted(table, range(30, 45))}))[
        "recommended"
    ]
    assert (row["only_right_before"], row["only_right_after"]) == (5, 30)
    assert [row[key]["accuracy"]["value"] for key in ("before", "after")] == [0.8, 0.925]
    bound = paired_difference((places < 30) | (places >= 45), places >= 40, 0.9).low
    assert row["lower_bound"] == pytest.approx(bound)
    assert 0 < row["difference"]["low"] < row["lower_bound"] < row["difference"]["value"]


def test_recommended_models_of_different_names_are_compared(runs):
    table = images(200)
    before = {"scratch": predicted(table, range(50)), "feature_extraction": predicted(table, range(80))}
    after = {"scratch": predicted(table, range(45)), "fine_tuned": predicted(table, range(10))}
    found = runs(before, after, recommended=("scratch", "fine_tuned"))
    assert (found.recommended.comparison.one, found.recommended.comparison.other) == ("fine_tuned", "scratch")
    assert sentence(found).startswith(
        "Better: the recommended scratch was right on 75.0 % (v1), the recommended fine_tuned is "
    )
    assert [change.comparison.one for change in found.changes] == ["scratch"]
    assert found.recommended.comparison.p_value == pytest.approx(2 * binomtest(0, 40).pvalue)
    assert (list(found.only_before), list(found.only_after)) == (["feature_extraction"], ["fine_tuned"])


def test_models_that_are_turned_off_are_not_in_the_run(runs):
    table = predicted(images(), range(5))
    off = pd.DataFrame(columns=["path", "label", "predicted"])
    found = runs({"scratch": table, "fine_tuned": table}, {"scratch": off, "fine_tuned": table})
    assert list(found.only_before) == ["scratch"]


def test_without_a_recommendation_the_models_are_still_compared(runs):
    table = predicted(images(), range(5))
    found = runs({"scratch": table}, {"scratch": table}, recommended=(None, "scratch"))
    assert sentence(found) == "No verdict on the recommended model: none is kept with v1."
    assert len(found.changes) == 1


def test_a_recommendation_of_a_model_that_is_not_there_is_none(runs):
    table = predicted(images(), range(5))
    found = runs({"scratch": table}, {"scratch": table}, recommended=("fine_tuned", "scratch"))
    assert found.recommended is None


def test_the_large_class_cannot_outvote_the_small_one(runs):
    table = images(400).assign(label=["cat"] * 40 + ["dog"] * 360)
    sees_both, says_dog = predicted(table, {*range(4), *range(40, 76)}), predicted(table, range(40))
    found = runs({"fine_tuned": sees_both}, {"fine_tuned": says_dog})
    assert found.recommended.comparison.only_one == found.recommended.comparison.only_other == 36
    assert sentence(found).startswith("Worse: ")
    assert found.recommended.comparison.difference.value == pytest.approx(-0.4)


def test_an_imbalanced_test_set_is_compared_by_balanced_accuracies(runs):
    table = images(100).assign(label=["dog"] * 90 + ["cat"] * 10)
    found = runs({"fine_tuned": predicted(table, range(90, 100))}, {"fine_tuned": predicted(table, range(10))})
    assert found.imbalanced
    assert found.recommended.comparison.verdict == "better"
    assert found.recommended.comparison.difference.value == pytest.approx((1 + 80 / 90) / 2 - 0.5)
    assert sentence(found).startswith(
        "Better: the recommended fine_tuned had a balanced accuracy of 50.0 % (v1), the recommended fine_tuned has "
        "94.4 % (now) on the same 100. The difference is +44.4 ("
    )
    assert found.recommended.before.value == found.recommended.after.value == 0.9
    assert found.recommended.balanced_before.value == 0.5
    assert found.recommended.balanced_after.value == pytest.approx((1 + 80 / 90) / 2)

"""Runs that cannot be compared are refused, and the reason is named."""

import pandas as pd
import pytest

from stages.compare import compare
from stages.lib.comparison.runs import Refused, read_run
from stages.lib.core.errors import UserError
from tests.stages.compared_runs import CLASSES, images, predicted, write_run


def test_other_images_are_refused(runs):
    table = images(50)
    other = table.copy()
    other.loc[:2, "sha256"] = [f"new{index}" for index in range(3)]
    other.loc[:2, "path"] = [f"test/new/{index}.jpg" for index in range(3)]
    with pytest.raises(Refused) as caught:
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(other, range(2))})
    assert str(caught.value) == (
        "the test images differ: 3 only in v1 (test/cat/0.jpg; test/cat/2.jpg; ...), "
        "3 only in now (test/new/0.jpg; test/new/1.jpg; ...)"
    )


def test_one_copy_more_is_refused(runs):
    table = images(10)
    more = pd.concat([table, table.iloc[[4]].assign(path="test/cat/copy.jpg")])
    with pytest.raises(Refused, match=r"differ: 1 only in now \(test/cat/4\.jpg"):
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(more, range(2))})


def test_other_labels_are_refused_also_of_copies(runs):
    table = images(20)
    table.loc[18, "sha256"] = table.loc[2, "sha256"]
    other = table.copy()
    other.loc[[2, 5], "label"] = ["dog", "cat"]
    with pytest.raises(Refused) as caught:
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(other, range(2))})
    assert str(caught.value).startswith(
        "the test images differ: 2 with another label (test/cat/18.jpg: cat in v1, dog "
    )
    assert "only in" not in str(caught.value)


def test_renamed_classes_are_refused_and_named(runs):
    other = images(20, ("cats", "dog"))
    with pytest.raises(Refused, match="10 with another label") as caught:
        runs({"fine_tuned": predicted(images(20), [])}, {"fine_tuned": predicted(other, [], ("cats", "dog"))})
    assert str(caught.value).endswith("; only v1 knows the class cat; only now knows the class cats")


def test_a_further_class_on_the_same_images_is_only_told(runs):
    table = images(20)
    found = runs({"fine_tuned": predicted(table, [])}, {"fine_tuned": predicted(table, [], ("bird", *CLASSES))})
    assert list(found.notes) == ["only now knows the class bird"]


@pytest.mark.parametrize("kept", [None, 99])
def test_a_run_without_checksums_is_refused(runs, kept):
    """Without any, or with one missing."""
    table = predicted(images(), range(5))
    without = table.drop(columns="sha256") if kept is None else table.assign(sha256=[*table["sha256"][:kept], ""])
    with pytest.raises(Refused, match="v1 kept no checksums of its test images"):
        runs({"fine_tuned": without}, {"fine_tuned": table})


def test_a_run_whose_models_saw_different_images_is_refused(runs):
    table = images(20)
    half_done = {"scratch": predicted(table, [1]), "fine_tuned": predicted(table.iloc[:19], [1])}
    with pytest.raises(Refused, match=r"the models of now were not .* same test images: 1 only in scratch"):
        runs({"scratch": predicted(table, [1])}, half_done)


def test_what_is_no_run_is_one_line(runs, tmp_path):
    table = predicted(images(), range(5))
    with pytest.raises(UserError, match="expected a model that both runs have: v1 has scratch; now has fine_tuned"):
        runs({"scratch": table}, {"fine_tuned": table}, recommended=(None, "fine_tuned"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"v1: expected evaluation/<model>/predictions\.csv of at least one model"):
        compare(tmp_path / "empty", tmp_path / "after", "v1", "now")
    write_run(tmp_path / "odd", {"fine_tuned": table.drop(columns="label")})
    with pytest.raises(UserError, match=r"v1: evaluation/fine_tuned/predictions\.csv: expected a column label"):
        compare(tmp_path / "odd", tmp_path / "after", "v1", "now")
    (tmp_path / "odd" / "evaluation" / "fine_tuned" / "predictions.csv").write_text("")
    with pytest.raises(UserError, match=r"predictions\.csv: not a table of predictions"):
        compare(tmp_path / "odd", tmp_path / "after", "v1", "now")


@pytest.mark.parametrize("share", ["-5", "1e999", "nan", "7"])
def test_probabilities_that_no_model_gives_are_refused(tmp_path, share):
    file = tmp_path / "evaluation" / "scratch" / "predictions.csv"
    file.parent.mkdir(parents=True)
    file.write_text(f"path,sha256,label,predicted,p_cat,p_dog\na.jpg,{'0' * 64},cat,cat,{share},0.1\n")
    with pytest.raises(UserError, match=r"predictions\.csv: not a table of predictions"):
        read_run(tmp_path, "theirs")


@pytest.mark.parametrize("summary", ["[" * 100_000, '{"recommended": ["x"]}', "[1]", ""])
def test_a_summary_that_no_report_wrote_is_one_line(tmp_path, summary):
    for file, content in (
        ("evaluation/scratch/predictions.csv", f"path,sha256,label,predicted,p_cat,p_dog\na,{'0' * 64},cat,cat,1,0\n"),
        ("report/summary.json", summary),
    ):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match="expected what the stage report writes"):
        read_run(tmp_path, "theirs")

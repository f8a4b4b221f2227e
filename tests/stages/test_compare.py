import json
import subprocess
import sys
from collections.abc import Container
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from stages.compare import compare
from stages.lib.errors import UserError
from stages.lib.run_comparison import figures, sentence
from stages.lib.runs import Refused

CLASSES = ("cat", "dog")
ROOT = Path(__file__).resolve().parents[2]


def pictures(count: int = 100, classes: tuple[str, ...] = CLASSES) -> pd.DataFrame:
    labels = [classes[index % len(classes)] for index in range(count)]
    paths = [f"test/{label}/{index}.jpg" for index, label in enumerate(labels)]
    return pd.DataFrame({"path": paths, "sha256": [f"{7919 * index % 100003:064x}" for index in range(count)]}).assign(
        label=labels
    )


def predicted(table: pd.DataFrame, wrong: Container[int], classes: tuple[str, ...] = CLASSES) -> pd.DataFrame:
    """The table of a model that is wrong on these rows."""
    answers = [
        classes[(classes.index(label) + (place in wrong)) % len(classes)] if label in classes else classes[0]
        for place, label in enumerate(table["label"])
    ]
    return table.assign(predicted=answers, **{f"p_{name}": 0.5 for name in classes})


def write_run(folder: Path, models: dict[str, pd.DataFrame], recommended: str | None = "fine_tuned") -> Path:
    for name, table in models.items():
        (folder / "evaluation" / name).mkdir(parents=True)
        table.to_csv(folder / "evaluation" / name / "predictions.csv", index=False)
    if recommended:
        (folder / "report").mkdir()
        (folder / "report" / "summary.json").write_text(json.dumps({"recommended": recommended}))
    return folder


@pytest.fixture
def runs(tmp_path):
    """Write both runs and compare them as v1 and now."""

    def compared(before: dict, after: dict, recommended=("fine_tuned", "fine_tuned")):
        write_run(tmp_path / "before", before, recommended[0])
        write_run(tmp_path / "after", after, recommended[1])
        return compare(tmp_path / "before", tmp_path / "after", "v1", "now")

    return compared


def test_a_better_model_is_called_better_with_the_published_test(runs):
    table = pictures(200)
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
    table = pictures(200)
    found = runs({"fine_tuned": predicted(table, range(30, 45))}, {"fine_tuned": predicted(table, range(40))})
    assert sentence(found).startswith("Worse: ")
    assert found.recommended.comparison.difference.value == pytest.approx(-0.125)


def test_a_small_difference_is_not_called_one_and_says_what_would_tell(runs):
    table = pictures(1000)
    found = runs({"fine_tuned": predicted(table, range(22))}, {"fine_tuned": predicted(table, range(3, 22))})
    assert found.recommended.comparison.verdict == "no difference shown"
    needed = found.recommended.comparison.needed
    assert needed > 1000
    assert sentence(found).startswith("No difference shown with these 1,000 test pictures: ")
    assert sentence(found).endswith(f"About {needed:,} test pictures would show a difference of this size.")


def test_equal_models_need_no_number_of_pictures(runs):
    table = pictures()
    found = runs({"fine_tuned": predicted(table, range(4))}, {"fine_tuned": predicted(table, range(4, 8))})
    assert sentence(found).endswith("Both are right equally often.")


def test_p_values_are_corrected_for_all_models_together(runs):
    table = pictures(200)
    before = {name: predicted(table, range(12)) for name in ("scratch", "fine_tuned")}
    after = {"scratch": predicted(table, range(2)), "fine_tuned": predicted(table, range(4))}
    p_values = {c.comparison.one: c.comparison.p_value for c in runs(before, after).changes}
    smallest, largest = binomtest(0, 10).pvalue, binomtest(0, 8).pvalue
    assert p_values == pytest.approx({"scratch": 2 * smallest, "fine_tuned": max(2 * smallest, largest)})


def test_rows_are_matched_by_content_not_by_order_or_path(runs):
    table = pictures(60)
    moved = predicted(table, range(5)).assign(path=[f"elsewhere/{index}" for index in range(60)])
    found = runs({"fine_tuned": predicted(table, range(5))}, {"fine_tuned": moved.sample(frac=1, random_state=1)})
    assert (found.recommended.comparison.only_one, found.recommended.comparison.only_other) == (0, 0)


def test_copies_of_one_picture_count_as_often_as_they_are_there(runs):
    table = pictures(20)
    table.loc[10:19, "sha256"] = table.loc[0:9, "sha256"].to_numpy()
    shuffled = predicted(table, []).sample(frac=1, random_state=2)
    found = runs({"fine_tuned": predicted(table, {3, 13})}, {"fine_tuned": shuffled})
    assert found.pictures == 20
    assert (found.recommended.comparison.only_one, found.recommended.comparison.only_other) == (2, 0)


def test_recommended_models_of_different_names_are_compared(runs):
    table = pictures(200)
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
    table = predicted(pictures(), range(5))
    off = pd.DataFrame(columns=["path", "label", "predicted"])
    found = runs({"scratch": table, "fine_tuned": table}, {"scratch": off, "fine_tuned": table})
    assert list(found.only_before) == ["scratch"]


def test_without_a_recommendation_the_models_are_still_compared(runs):
    table = predicted(pictures(), range(5))
    found = runs({"scratch": table}, {"scratch": table}, recommended=(None, "scratch"))
    assert sentence(found) == "No verdict on the recommended model: none is kept with v1."
    assert len(found.changes) == 1


def test_an_imbalanced_test_set_shows_balanced_accuracies(runs):
    table = pictures(100).assign(label=["dog"] * 90 + ["cat"] * 10)
    found = runs({"fine_tuned": predicted(table, range(90, 100))}, {"fine_tuned": predicted(table, range(10))})
    assert found.imbalanced
    assert found.recommended.before.value == found.recommended.after.value == 0.9
    assert found.recommended.balanced_before.value == 0.5
    assert found.recommended.balanced_after.value == pytest.approx((1 + 80 / 90) / 2)


def test_other_pictures_are_refused(runs):
    table = pictures(50)
    other = table.copy()
    other.loc[:2, "sha256"] = [f"new{index}" for index in range(3)]
    other.loc[:2, "path"] = [f"test/new/{index}.jpg" for index in range(3)]
    with pytest.raises(Refused) as caught:
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(other, range(2))})
    assert str(caught.value) == (
        "the test pictures differ: 3 only in v1 (test/cat/0.jpg; test/cat/2.jpg; ...), "
        "3 only in now (test/new/0.jpg; test/new/1.jpg; ...)"
    )


def test_one_copy_more_is_refused(runs):
    table = pictures(10)
    more = pd.concat([table, table.iloc[[4]].assign(path="test/cat/copy.jpg")])
    with pytest.raises(Refused, match=r"differ: 1 only in now \(test/cat/4\.jpg"):
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(more, range(2))})


def test_other_labels_are_refused_also_of_copies(runs):
    table = pictures(20)
    table.loc[18, "sha256"] = table.loc[2, "sha256"]
    other = table.copy()
    other.loc[[2, 5], "label"] = ["dog", "cat"]
    with pytest.raises(Refused) as caught:
        runs({"fine_tuned": predicted(table, range(2))}, {"fine_tuned": predicted(other, range(2))})
    assert str(caught.value).startswith(
        "the test pictures differ: 2 with another label (test/cat/18.jpg: cat in v1, dog "
    )
    assert "only in" not in str(caught.value)


def test_renamed_classes_are_refused_and_named(runs):
    other = pictures(20, ("cats", "dog"))
    with pytest.raises(Refused, match="10 with another label") as caught:
        runs({"fine_tuned": predicted(pictures(20), [])}, {"fine_tuned": predicted(other, [], ("cats", "dog"))})
    assert str(caught.value).endswith("; only v1 knows the class cat; only now knows the class cats")


def test_a_further_class_on_the_same_pictures_is_only_told(runs):
    table = pictures(20)
    found = runs({"fine_tuned": predicted(table, [])}, {"fine_tuned": predicted(table, [], ("bird", *CLASSES))})
    assert list(found.notes) == ["only now knows the class bird"]


def test_a_run_without_checksums_is_refused(runs):
    table = predicted(pictures(), range(5))
    with pytest.raises(Refused, match="v1 kept no checksums of its test pictures"):
        runs({"fine_tuned": table.drop(columns="sha256")}, {"fine_tuned": table})


def test_a_run_whose_models_saw_different_pictures_is_refused(runs):
    table = pictures(20)
    half_done = {"scratch": predicted(table, [1]), "fine_tuned": predicted(table.iloc[:19], [1])}
    with pytest.raises(Refused, match=r"the models of now were not .* same test pictures: 1 only in scratch"):
        runs({"scratch": predicted(table, [1])}, half_done)


def test_what_is_no_run_is_one_line(runs, tmp_path):
    table = predicted(pictures(), range(5))
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


def command(folder: Path, *options: str, before: str = "v1", after: str = "the workspace"):
    paths = ["--before", str(folder / "before"), "--after", str(folder / "after")]
    names = ["--before-name", before, "--after-name", after]
    return subprocess.run(
        [sys.executable, "-m", "stages.compare", *paths, *names, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def written(tmp_path):
    table = pictures(200)
    write_run(tmp_path / "before", {"fine_tuned": predicted(table, range(40))})
    write_run(
        tmp_path / "after",
        {"fine_tuned": predicted(table, range(30, 45)), "a|b_c": predicted(table, range(9))},
    )
    return tmp_path


def test_the_command_shows_text_markdown_and_json(written):
    text = command(written)
    assert text.returncode == 0, text.stderr
    assert text.stdout.startswith("Better: the recommended fine_tuned")
    assert "Only in the workspace: a|b_c." in text.stdout

    markdown = command(written, "--format", "markdown", before="v|1<x>")
    lines = markdown.stdout.splitlines()
    assert lines[0] == r"### Models: the workspace beside v\|1&lt;x&gt;"
    assert lines[2].startswith(r"**Better: the recommended fine\_tuned was right on 80.0 % (v\|1&lt;x&gt;), the")
    rows = [line.replace(r"\|", "") for line in lines if line.startswith("|")]
    assert len(rows) == 3
    assert len({row.count("|") for row in rows}) == 1
    assert r"Only in the workspace: a\|b\_c." in lines

    found = json.loads(command(written, "--format", "json").stdout)
    assert found["models"][0]["verdict"] == "better"
    assert found["recommended"]["after"]["accuracy"]["value"] == 0.925
    assert found["only_after"] == ["a|b_c"]
    assert found == figures(compare(written / "before", written / "after", "v1", "the workspace"))


def test_the_command_refuses_in_every_format(written):
    table = pd.read_csv(written / "after" / "evaluation" / "fine_tuned" / "predictions.csv")
    odd = table.assign(path="a|b <i>", sha256=np.arange(len(table)))
    for name in ("fine_tuned", "a|b_c"):
        odd.to_csv(written / "after" / "evaluation" / name / "predictions.csv", index=False)
    text, markdown, found = (command(written, "--format", name) for name in ("text", "markdown", "json"))
    assert {text.returncode, markdown.returncode, found.returncode} == {1}
    assert text.stderr.startswith(
        "error: v1 and the workspace are not compared: the test pictures differ: 200 only in v1"
    )
    assert text.stderr.count("\n") == 1
    assert "**Not compared**: the test pictures differ" in markdown.stdout
    assert r"a\|b &lt;i&gt;" in markdown.stdout
    assert json.loads(found.stdout)["refused"].startswith("the test pictures differ")

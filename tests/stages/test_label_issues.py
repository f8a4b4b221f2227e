"""Stage `label_issues`: names flipped labels, by features or predictions; nothing where there is neither."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.label_issues import LabelIssuesParams, label_issues
from stages.lib.arrays import feature_files
from stages.lib.core.outputs import disable
from stages.lib.core.params import CommonParams
from stages.lib.images.manifest import SUBSETS, Subset

pytestmark = pytest.mark.usefixtures("elsewhere")

COLUMNS = ["path", "class", "subset", "suggested", "p_class", "p_suggested"]
COPIES = ["group", "path", "sha256", "class", "kind", "distance", "action"]


def project(classes: dict[str, int], channels: int = 3, wrong: dict[str, str] | None = None) -> None:
    """Features around a centre of each class; `wrong`: images and the class whose features they have in truth."""
    rng = np.random.default_rng(0)
    names = sorted(classes)
    rows = [
        (f"{SUBSETS[index % 3]}/{name}/{name}.{index}.png", name, SUBSETS[index % 3])
        for name in names
        for index in range(classes[name])
    ]
    manifest = pd.DataFrame(rows, columns=["path", "class", "subset"]).assign(group="")
    manifest["sha256"] = [Path(path).name for path in manifest["path"]]
    manifest.to_csv("manifest.csv", index=False)
    pd.DataFrame(columns=COPIES).to_csv("duplicates.csv", index=False)
    Path("features").mkdir()
    for subset in SUBSETS:
        found = manifest[manifest["subset"] == subset]
        truth = [(wrong or {}).get(Path(row.path).name, row["class"]) for _, row in found.iterrows()]
        centres = np.array([[10.0 * (names.index(name) == channel) for channel in range(channels)] for name in truth])
        if channels == 1:
            centres = np.array([[10.0 * names.index(name)] for name in truth])
        vectors = (centres + rng.normal(size=centres.shape)).astype(np.float32)
        labelled = np.array([names.index(name) for name in found["class"]])
        paths = found["path"].tolist()
        images = Subset([Path(path) for path in paths], paths, ["0"] * len(paths), labelled, names)
        feature_files.write(Path("features"), subset, images, channels, [vectors])
    feature_files.write_about(Path("features"), names, "float32")


def evaluated(**models: list[float]) -> None:
    """Predictions of models for four cats and four dogs: the probability of a cat."""
    for name, probabilities in models.items():
        table = pd.DataFrame(
            {
                "path": [f"test/{label}/{index}.png" for label in ("cat", "dog") for index in range(4)],
                "sha256": "0",
                "label": ["cat"] * 4 + ["dog"] * 4,
                "predicted": ["cat" if chance > 0.5 else "dog" for chance in probabilities],
                "p_cat": probabilities,
                "p_dog": 1 - np.array(probabilities),
            }
        )
        Path(f"evaluation/{name}").mkdir(parents=True)
        table.to_csv(f"evaluation/{name}/predictions.csv", index=False)
        table.assign(subset="test").rename(columns={"label": "class"}).to_csv("manifest.csv")


def run(threshold: float = 0.1, **changes: object) -> tuple[pd.DataFrame, dict[str, object]]:
    params = LabelIssuesParams.model_validate({"enabled": True, "folds": 4, "threshold": threshold} | changes)
    common = CommonParams(
        seed=1, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
    )
    files = ("manifest.csv", "duplicates.csv", "features", "evaluation", "label_issues.csv", "label_issues.json")
    label_issues(*map(Path, files), common, params)
    table = pd.read_csv("label_issues.csv", dtype=dict.fromkeys(COLUMNS[:4], str), na_filter=False)
    assert list(table) == COLUMNS
    figures = json.loads(Path("label_issues.json").read_text())
    assert figures["suspicious"] == len(table)
    return table, figures


def test_flipped_labels_of_every_subset_are_named() -> None:
    wrong = {"cat.4.png": "dog", "cat.6.png": "dog", "dog.11.png": "cat"}
    project({"cat": 30, "dog": 30}, wrong=wrong)
    table, figures = run()
    assert set(table["path"]) == {"validation/cat/cat.4.png", "train/cat/cat.6.png", "test/dog/dog.11.png"}
    assert figures == {"checked": 60, "suspicious": 3, "by": "features"}
    assert table["p_class"].is_monotonic_increasing
    for row in table.to_dict("records"):
        assert row["path"].split("/")[:2] == [row["subset"], row["class"]]
        assert row["suggested"] == wrong[Path(row["path"]).name]
        assert row["p_class"] < 0.1
        assert row["p_suggested"] > 0.9


def test_disputed_test_images_come_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    project({"cat": 30, "dog": 30}, wrong={"dog.11.png": "cat", "cat.4.png": "dog"})
    run()
    assert "1 of them is a test image: relabelling only" in capsys.readouterr().out


def test_right_labels_are_left_alone() -> None:
    project({"cat": 30, "dog": 30})
    table, figures = run()
    assert table.empty
    assert figures["checked"] == 60


def test_many_classes_with_numbers_for_names() -> None:
    project({f"{n:02}": 12 for n in range(8)}, channels=8, wrong={"03.5.png": "06"})
    table, _ = run()
    assert table[["class", "suggested"]].values.tolist() == [["03", "06"]]


def test_one_channel() -> None:
    project({"NA": 20, "dog": 20}, channels=1, wrong={"NA.5.png": "dog"})
    table, _ = run()
    assert table[["path", "suggested"]].values.tolist() == [["test/NA/NA.5.png", "dog"]]


@pytest.mark.parametrize("few", ["ant", "emu"])
def test_a_class_of_few_images_is_not_checked_and_said_to_be(capsys: pytest.CaptureFixture[str], few: str) -> None:
    """Whether it comes before the others or after them, these keep their names."""
    project({"cat": 30, "dog": 30, few: 3}, wrong={f"{few}.1.png": "cat", "cat.4.png": "dog"})
    table, figures = run()
    assert table[["path", "class", "suggested"]].values.tolist() == [["validation/cat/cat.4.png", "cat", "dog"]]
    assert figures["checked"] == 60
    told = capsys.readouterr().out
    assert f"class '{few}' is not checked: fewer than 4 different images (label_issues.folds)" in told


def test_too_few_images_of_all_classes_but_one() -> None:
    project({"cat": 30, "dog": 3})
    table, figures = run()
    assert table.empty
    assert figures == {"checked": 0, "suspicious": 0, "by": "features"}


def test_copies_do_not_judge_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the checksums in the table of copies, whose paths are those of the archive; ants are too few to be judged."""
    from stages import label_issues as stage

    project({"ant": 3, "cat": 8, "dog": 8})
    rows = [
        (1, "raw/a/1.png", "cat.0.png", "cat", "near", 0, "kept in train"),
        (1, "raw/b/1.png", "cat.3.png", "cat", "near", 1, "kept in train"),
        (1, "raw/b/2.png", "cat.9.png", "cat", "near", 1, "set aside: a copy is in another subset"),
        (2, "raw/dog.2.png", "dog.2.png", "dog", "near", 1, "kept in test"),
        (2, "raw/dog.5.png", "dog.5.png", "dog", "near", 1, "kept in test"),
    ]
    pd.DataFrame(rows, columns=COPIES).to_csv("duplicates.csv", index=False)
    seen: list[np.ndarray] = []
    real = stage.out_of_sample
    monkeypatch.setattr(stage, "out_of_sample", lambda *given: seen.append(given[2]) or real(*given))
    run()
    names = [name for subset in SUBSETS for name in feature_files.read(Path("features"), subset).names]
    groups = dict(zip([name for name in names if "/ant/" not in name], seen[0].tolist(), strict=True))
    assert groups["train/cat/cat.0.png"] == groups["train/cat/cat.3.png"]
    assert groups["test/dog/dog.2.png"] == groups["test/dog/dog.5.png"]
    assert len(set(groups.values())) == 16 - 2


def test_what_belongs_together_does_not_judge_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies, and the groups of the manifest, whatever their subset and class."""
    from stages import label_issues as stage

    project({"cat": 8, "dog": 8})
    manifest = pd.read_csv("manifest.csv", na_filter=False)
    patients = {"train/cat/cat.0.png": "p1", "train/dog/dog.0.png": "p1", "test/cat/cat.2.png": "p2"}
    manifest.assign(group=manifest["path"].map(patients).fillna("")).to_csv("manifest.csv", index=False)
    rows = [(1, f"raw/cat.{n}.png", f"cat.{n}.png", "cat", "near", 0, "kept in train") for n in (0, 3)]
    pd.DataFrame(rows, columns=COPIES).to_csv("duplicates.csv", index=False)
    seen: list[np.ndarray] = []
    real = stage.out_of_sample
    monkeypatch.setattr(stage, "out_of_sample", lambda *given: seen.append(given[2]) or real(*given))
    run()
    names = [name for subset in SUBSETS for name in feature_files.read(Path("features"), subset).names]
    groups = dict(zip(names, seen[0].tolist(), strict=True))
    together = {groups[name] for name in ("train/cat/cat.0.png", "train/cat/cat.3.png", "train/dog/dog.0.png")}
    assert len(together) == 1
    assert len(set(groups.values())) == 16 - 2


def test_images_whose_class_no_judge_knows_are_not_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stages import label_issues as stage

    project({"cat": 20, "dog": 20, "emu": 20}, wrong={"cat.4.png": "dog"})
    real = stage.out_of_sample
    monkeypatch.setattr(
        stage, "out_of_sample", lambda *given: np.where(given[1][:, np.newaxis] == 2, np.nan, real(*given))
    )
    table, figures = run()
    assert table["class"].tolist() == ["cat"]
    assert figures == {"checked": 40, "suspicious": 1, "by": "features"}
    assert "label_issues: of class 'emu' 20 images are not checked: groups of several" in capsys.readouterr().out


def test_the_same_every_time() -> None:
    project({"cat": 30, "dog": 30}, wrong={"cat.4.png": "dog"})
    run()
    first = Path("label_issues.csv").read_bytes()
    run()
    assert Path("label_issues.csv").read_bytes() == first


def test_without_features_the_mean_of_the_models_decides() -> None:
    disable(Path("features"), "features")
    sure = [0.98, 0.97, 0.02, 0.96, 0.03, 0.02, 0.04, 0.95]
    doubts_one = [0.98, 0.97, 0.04, 0.96, 0.03, 0.02, 0.04, 0.01]
    evaluated(scratch=sure, fine_tuned=doubts_one)
    # Of each image, in whatever order its rows are.
    pd.read_csv("evaluation/scratch/predictions.csv")[::-1].to_csv("evaluation/scratch/predictions.csv", index=False)
    Path("evaluation/off").mkdir()
    Path("evaluation/off/predictions.csv").write_text("path,sha256,label,predicted\n")
    table, figures = run()
    assert table[COLUMNS[:4]].values.tolist() == [["test/cat/2.png", "cat", "test", "dog"]]
    assert figures == {"checked": 8, "suspicious": 1, "by": "predictions"}


def test_models_that_are_sure_and_as_often_wrong_as_right_dispute_no_label() -> None:
    disable(Path("features"), "features")
    evaluated(scratch=[0.99, 0.01] * 4)
    table, figures = run()
    assert table.empty
    assert figures["checked"] == 8


def test_with_nothing_to_go_by_there_is_a_header() -> None:
    project({"cat": 8, "dog": 8})
    disable(Path("features"), "features")
    Path("evaluation/off").mkdir(parents=True)
    Path("evaluation/off/predictions.csv").write_text("path,sha256,label,predicted\n")
    table, figures = run()
    assert table.empty
    assert figures == {"checked": 0, "suspicious": 0, "by": "nothing"}


def test_it_may_be_turned_off() -> None:
    project({"cat": 30, "dog": 30}, wrong={"cat.4.png": "dog"})
    table, figures = run(enabled=False)
    assert table.empty
    assert figures == {"checked": 0, "suspicious": 0, "by": "nothing"}

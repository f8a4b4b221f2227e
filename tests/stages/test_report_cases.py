"""The report of models and images that are out of the ordinary: one model, one class, none wrong, rare classes."""

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.comparison.evaluations import read_results
from stages.lib.core.errors import UserError
from stages.lib.evaluation import scores
from tests.stages.report_elements import Elements

INPUTS = runpy.run_path(str(Path(__file__).with_name("report_inputs.py")))


def predictions_of(folder: Path, model: str) -> pd.DataFrame:
    return pd.read_csv(folder / "evaluation" / model / "predictions.csv", na_filter=False)


def test_imbalanced_test_images_change_the_headline_and_warn(tmp_path):
    INPUTS["write_inputs"](tmp_path, ["common", "rare"], [30, 5], {"scratch": 0.6, "fine_tuned": 0.9})
    for name, wrong in (("scratch", "common"), ("fine_tuned", "rare")):
        file = tmp_path / "evaluation" / name / "figures.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"roc_auc_low": None}))
        # `fine_tuned` never finds the rare class, which is no more than a tenth of the validation images.
        file = file.with_name("validation_predictions.csv")
        rows = [("common", "rare" if wrong == "common" and index < 18 else "common") for index in range(90)]
        rows += [("rare", "common" if wrong == "rare" else "rare")] * 10
        table = pd.DataFrame(rows, columns=["label", "predicted"]).assign(path=[f"{index}.png" for index in range(100)])
        table.to_csv(file, index=False)
    text = Elements(INPUTS["run_report"](tmp_path)).text
    assert set(pd.read_csv(tmp_path / "report" / "comparisons.csv")["measure"]) == {"balanced_accuracy"}
    assert "by so many points of balanced accuracy" in text
    assert "It has the highest balanced accuracy on the 100 validation images (90.0 %), and is the cheapest." in text
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["headline"] == "balanced_accuracy"
    assert summary["recommended"] == "scratch"
    assert f"{100 * summary['balanced_accuracy']:.1f}\N{NO-BREAK SPACE}% balanced accuracy" in text
    assert "The test images are imbalanced: accuracy misleads." in text
    assert "always says common would be right on 85.7\N{NO-BREAK SPACE}%" in text
    assert "no interval" in text


@pytest.mark.parametrize("tested", [8, 12])
def test_a_perfect_model_has_a_report(tmp_path, tested):
    """Of 16 and 24 images the upper end of Wilson's interval is 0.9999999999999999; a chart refuses such a bar."""
    folder = INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [tested, tested], {"scratch": 0.9})
    labels = np.repeat([0, 1], tested)
    figures = json.loads((folder / "evaluation" / "scratch" / "figures.json").read_text())
    probabilities = 0.02 + 0.96 * np.eye(2)[labels]
    (folder / "evaluation" / "scratch" / "figures.json").write_text(
        json.dumps(figures | scores.figures_of(labels, probabilities))
    )
    for name, table in scores.tables_of(labels, probabilities, ["cat", "dog"]).items():
        table.to_csv(folder / "evaluation" / "scratch" / f"{name}.csv", index=False)
    text = " ".join(Elements(INPUTS["run_report"](folder)).text.split())
    assert "100.0 % accuracy" in text
    # Two points less sure than right, which so few images cannot tell from a model that means what it says.
    assert re.search(r"2\.0 points; by chance \d\.\d, up to \d\.\d: not told from perfect", text)


def test_test_images_of_a_single_class_have_a_report(tmp_path):
    folder = INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [12, 0], {"scratch": 0.9, "fine_tuned": 0.95})
    duplicates = folder / "data" / "duplicates.csv"
    duplicates.write_text(duplicates.read_text().splitlines()[0] + "\n")
    page = INPUTS["run_report"](folder)
    assert "areas: Small network unknown, Fine-tuned network unknown" in page
    assert "No test image is of class dog" in page


def test_one_model_alone_and_nothing_found(tmp_path):
    INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [6, 6], {"scratch": 1.0})
    for name in ("duplicates.csv", "label_issues.csv", "rejected.csv"):
        file = tmp_path / "data" / name
        file.write_text(file.read_text().splitlines()[0] + "\n")
    (tmp_path / "models" / "scratch" / "augmented.png").unlink()
    index = tmp_path / "evaluation" / "scratch" / "explanations" / "index.csv"
    index.write_text("file,path,label,predicted,confidence\n")
    table = predictions_of(tmp_path, "scratch").assign(predicted=lambda rows: rows["label"])
    table.to_csv(tmp_path / "evaluation" / "scratch" / "predictions.csv", index=False)
    text = re.sub(r"\s+", " ", Elements(INPUTS["run_report"](tmp_path)).text)
    assert len((tmp_path / "report" / "comparisons.csv").read_text().splitlines()) == 1
    for words in (
        "No other model was measured",
        "No model got a test image wrong",
        "No copies were found",
        "None were made",
        "names none",
    ):
        assert words in text
    assert "How training images vary" not in text


def test_a_report_of_no_model_is_one_clear_error(tmp_path):
    (tmp_path / "evaluation" / "scratch").mkdir(parents=True)
    (tmp_path / "evaluation" / "scratch" / "figures.json").write_text("{}")
    with pytest.raises(UserError, match="enabled: true"):
        read_results(tmp_path / "models", tmp_path / "evaluation")


def test_the_headline_agrees_with_a_caution_that_says_not_to_use_the_model(tmp_path, capsys):
    INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [8, 8], {"feature_extraction": 0.0})
    text = " ".join(Elements(INPUTS["run_report"](tmp_path)).text.split())
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["advice"] == "do not use"
    assert any("Do not use it" in caution for caution in summary["cautions"])
    assert "Do not use the pretrained network" in text
    assert "Use the pretrained network" not in text
    assert "recommended" not in text.replace("recommended_presets", "")
    assert "do not use feature_extraction. " in capsys.readouterr().out


def test_a_model_without_errors_has_no_weakest_class_and_may_still_be_wrong(tmp_path):
    INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [8, 8], {"feature_extraction": 50.0})
    text = " ".join(Elements(INPUTS["run_report"](tmp_path)).text.split())
    assert "got no test image wrong" in text
    assert "weakest class" not in text
    assert re.search(r"wrong on about 0\.0 % of such images \(95 % interval 0\.0 to [12]\d\.\d %\)", text)


def test_a_head_without_epochs_is_told_and_has_no_curve(tmp_path):
    folder = INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [8, 8], {"scratch": 0.5, "feature_extraction": 0.9})
    file = folder / "models" / "feature_extraction" / "summary.json"
    head = {"kind": "logistic", "scaling": "unit length", "strength": 0.1, "factor": 1.25, "judged": 40}
    about = {"epochs": 0, "best_epoch": None, "mirror": True}
    losses = {"log_loss": {"logistic": 0.1, "mlp": 0.2}}
    file.write_text(json.dumps(json.loads(file.read_text()) | about | {"head": head | losses}))
    curves = folder / "evaluation" / "feature_extraction" / "curves.csv"
    curves.write_text("epoch,loss,accuracy,val_loss,val_accuracy\n")
    page = INPUTS["run_report"](folder)
    said = (
        "The head is a logistic regression on features of unit length, its logits multiplied by 1.25 to mean what they "
        "say: its log loss is 0.100 in cross-validation on 40 training images, beside 0.200 of a trained dense layer."
    )
    assert page.count(said) == 2
    assert page.count("there is no curve") == 1
    assert "loss-feature_extraction" not in page
    assert "loss-scratch" in page
    assert "None" not in Elements(page).text


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "These limits count each validation image by itself, and images of a group may err together: fewer"),
        ({"unsure_below": 0.0, "unknown_above": None}, "This limit counts each validation image by itself"),
        ({"unsure_below": 2.0}, "err together: more images like these may be called unknown than were asked to be."),
        ({"unsure_below": 2.0, "unknown_above": None}, None),
        ({"unsure_below": None, "unknown_above": None}, None),
    ],
)
def test_limits_that_were_chosen_on_images_in_groups_say_that_they_count_images(tmp_path, limits, said):
    folder = INPUTS["write_inputs"](tmp_path, ["cat", "dog"], [8, 8], {"scratch": 0.9})
    assert "each validation image by itself" not in INPUTS["run_report"](folder)
    manifest, decisions = folder / "data" / "manifest.csv", next(folder.rglob("decisions.json"))
    table = pd.read_csv(manifest, na_filter=False)
    table.assign(group=np.where(table["subset"] == "validation", "p1", "")).to_csv(manifest, index=False)
    decisions.write_text(json.dumps(json.loads(decisions.read_text()) | limits))
    page = INPUTS["run_report"](folder)
    assert (said or "no image is called unknown") in page
    assert ("each validation image by itself" in page) == (said is not None)
    assert ("images like these" in page) == (said is not None and "unknown_above" not in limits)

"""The report: what it states, what it shows, and that names of users cannot break it."""

import base64
import hashlib
import json
import re
import runpy
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.comparison.evaluations import Results, called, read_results
from stages.lib.core.errors import UserError
from stages.lib.evaluation import scores

INPUTS = runpy.run_path(str(Path(__file__).with_name("report_inputs.py")))
NASTY, SKILLS, OFF = INPUTS["NASTY"], INPUTS["SKILLS"], INPUTS["OFF"]


class Elements(HTMLParser):
    """The elements of a page in order, (tag, attributes), and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def having(self, attribute: str) -> list[dict]:
        return [attributes for _, attributes in self.found if attribute in attributes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three models on three classes with names that break careless pages, and a model that is turned off."""
    return INPUTS["write_inputs"](tmp_path_factory.mktemp("report"), NASTY, [8, 8, 8], SKILLS)


@pytest.fixture(scope="module")
def page(folder) -> str:
    return INPUTS["run_report"](folder)


@pytest.fixture(scope="module")
def elements(page) -> Elements:
    return Elements(page)


@pytest.fixture(scope="module")
def results(folder) -> Results:
    return read_results(folder / "models", folder / "evaluation")


def predictions_of(folder: Path, model: str) -> pd.DataFrame:
    return pd.read_csv(folder / "evaluation" / model / "predictions.csv", na_filter=False)


def test_the_page_says_when_the_model_does_not_know(page):
    section = page.partition('<h2 id="unsure-and-unknown">')[2].partition("</section>")[0]
    assert "less than 60.0\N{NO-BREAK SPACE}% is called unsure" in section
    assert (
        "more than 14 times as far from the training images as these usually are from one another is called unknown"
        in section
    )
    assert "No image is &lt;b&gt;said&lt;/b&gt;." in section
    assert "textures &amp; noise" in section
    assert 'href="#unsure-and-unknown">unsure</a>' in page


def test_the_recommended_model_is_seen_beside_those_before_and_after_it(results):
    assert results.recommended.name == "fine_tuned"
    assert [(pair.one, pair.other) for pair in results.beside_others] == [
        ("fine_tuned", "scratch"),
        ("fine_tuned", "feature_extraction"),
    ]
    first = results.beside_others[0]
    assert first.difference.value == pytest.approx(
        results.recommended.right.mean() - results.evaluations[0].right.mean()
    )


def test_the_summary_and_the_page_say_what_the_metrics_say(folder, elements):
    summary = json.loads((folder / "report" / "summary.json").read_text())
    figures = json.loads((folder / "evaluation" / "fine_tuned" / "figures.json").read_text())
    keys = ["recommended", "advice", "headline", "accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy"]
    keys += ["balanced_accuracy_low", "balanced_accuracy_high", "validation_accuracy", "images", "verdict"]
    keys += ["why", "cautions", "procedure", "deployed", "next"]
    assert list(summary) == keys
    assert summary["recommended"] == "fine_tuned"
    assert summary["headline"] == "accuracy"
    assert {key: summary[key] for key in keys[3:11]} == {key: figures[key] for key in keys[3:11]}
    assert "Use the fine-tuned network" in " ".join(elements.text.replace("\u200b", "").split())
    assert f"{100 * figures['accuracy']:.1f}\N{NO-BREAK SPACE}%" in elements.text
    plain = {name: called(name) for name in SKILLS}
    for text in (summary["verdict"], summary["why"]):
        assert re.sub("|".join(plain), lambda found: plain[found[0]], text) in elements.text
    assert any(text.startswith("Only 24 test images") for text in summary["cautions"])
    assert all(text in elements.text for text in summary["cautions"])


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


def test_the_tables_have_a_row_per_model_and_per_pair(folder, page, results):
    accuracy = pd.read_csv(folder / "report" / "accuracy.csv")
    assert list(accuracy) == ["model", "accuracy", "low", "high"]
    assert list(accuracy["model"]) == list(SKILLS)
    pairs = pd.read_csv(folder / "report" / "comparisons.csv")
    columns = "one other images only_one only_other difference low high p_value needed verdict measure"
    assert list(pairs) == columns.split()
    assert [*zip(pairs["one"], pairs["other"], strict=True)] == [(one.one, one.other) for one in results.comparisons]
    assert list(pairs["p_value"]) == pytest.approx([one.p_value for one in results.comparisons], rel=1e-6)


def test_a_model_that_is_turned_off_is_left_out_everywhere(page):
    assert OFF not in page


def test_the_page_makes_no_request_and_runs_no_script_but_its_own(page, elements):
    addresses = [attributes[key] for key in ("src", "href", "xlink:href") for attributes in elements.having(key)]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"url\((?!#)|@import", page)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert len(scripts) == page.count("<script") == 1
    policy = next(attributes["content"] for attributes in elements.having("http-equiv"))
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_names_of_users_come_through_unchanged_and_harmless(page, elements):
    assert '<b>&"x"' not in page
    assert "<i>.jpg" not in page
    assert "<script>alert" not in page
    assert {card["data-label"] for card in elements.having("data-label")} == set(NASTY)
    for name in [*NASTY, "<i>.jpg", "<script>alert(1)</script>"]:
        assert name in elements.text


def test_identifiers_are_unique_and_links_lead_somewhere(elements):
    names = [attributes["id"] for attributes in elements.having("id")]
    assert len(names) == len(set(names))
    links = [link[key] for key in ("href", "xlink:href") for link in elements.having(key)]
    assert {link[1:] for link in links if link.startswith("#")} <= set(names)


def test_headings_are_in_order_and_images_have_words(elements):
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all(attributes.get("alt") for tag, attributes in elements.found if tag == "img")
    assert all(
        attributes.get("aria-label") or attributes.get("aria-hidden")
        for tag, attributes in elements.found
        if tag == "svg"
    )


def test_the_run_has_a_place_of_its_own(page):
    assert page.count('<div id="run"></div>') == 1
    assert page.index('id="provenance"') < page.index('<div id="run"></div>')


def test_provenance_identifies_models_data_and_parameters(folder, elements):
    for file in (folder / "models" / "fine_tuned" / "model.keras", folder / "data" / "manifest.csv"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in elements.text
    for words in ("augmentation.flip", "[4, 8]", "null", "keras 3.0", "float32", "12,345"):
        assert words in elements.text


def test_the_same_inputs_give_the_same_bytes_wherever_they_lie(folder, page, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    assert INPUTS["run_report"](elsewhere) == page
    for name in ("summary.json", "accuracy.csv", "comparisons.csv"):
        assert (elsewhere / "report" / name).read_bytes() == (folder / "report" / name).read_bytes()


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


def test_relabelling_only_disputed_test_images_is_warned_of(elements):
    assert "Relabelling only the test images that models dispute" in elements.text


def test_images_needed_are_said_to_know_of_the_other_pairs(elements):
    assert "at the strictest step of Holm's method, with 3 pairs" in elements.text


def test_recall_has_an_interval(elements, results):
    row = results.recommended.per_class.iloc[0]
    assert f"{100 * row['recall_low']:.1f} to {100 * row['recall_high']:.1f}" in elements.text


def test_balanced_test_images_bring_no_warning(elements):
    assert "imbalanced" not in elements.text


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


@pytest.mark.parametrize(("name", "subset"), [("predictions", "test"), ("validation_predictions", "validation")])
def test_models_on_different_images_are_not_compared(folder, tmp_path, name, subset):
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / "evaluation" / "scratch" / f"{name}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match=rf"feature_extraction and scratch .* the same {subset} images"):
        read_results(tmp_path / "copy" / "models", tmp_path / "copy" / "evaluation")


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

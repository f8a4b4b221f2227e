"""The report: what it states, what it shows, and that names of users cannot break it."""

import base64
import hashlib
import json
import re
import runpy
import shutil
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from stages.lib.comparison.evaluations import Results, called, read_results
from stages.lib.core.errors import UserError
from tests.stages.report_elements import Elements

INPUTS = runpy.run_path(str(Path(__file__).with_name("report_inputs.py")))
NASTY, SKILLS, OFF = INPUTS["NASTY"], INPUTS["SKILLS"], INPUTS["OFF"]


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


def test_images_with_a_side_below_that_of_the_models_are_counted(elements):
    """Not as enlarged: padded ones are only where both sides are smaller, and each model may resize in its own way."""
    said = " ".join(elements.text.split()).partition("The models see ")[2]
    assert said.partition(": ")[2].startswith("42 images have a side of fewer.")


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


def test_relabelling_only_disputed_test_images_is_warned_of(elements):
    assert "Relabelling only the test images that models dispute" in elements.text


def test_images_needed_are_said_to_know_of_the_other_pairs(elements):
    assert "at the strictest step of Holm's method, with 3 pairs" in elements.text


def test_recall_has_an_interval(elements, results):
    row = results.recommended.per_class.iloc[0]
    assert f"{100 * row['recall_low']:.1f} to {100 * row['recall_high']:.1f}" in elements.text


def test_balanced_test_images_bring_no_warning(elements):
    assert "imbalanced" not in elements.text


@pytest.mark.parametrize(("name", "subset"), [("predictions", "test"), ("validation_predictions", "validation")])
def test_models_on_different_images_are_not_compared(folder, tmp_path, name, subset):
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / "evaluation" / "scratch" / f"{name}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match=rf"feature_extraction and scratch .* the same {subset} images"):
        read_results(tmp_path / "copy" / "models", tmp_path / "copy" / "evaluation")

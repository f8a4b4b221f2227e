"""The comparison as the command writes it: text, Markdown, JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.compare import _SHOW, compare
from stages.lib.comparison.run_comparison import figures
from tests.stages.compared_runs import images, predicted, write_run

ROOT = Path(__file__).resolve().parents[2]


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
    table = images(200)
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


def test_imbalanced_images_and_cautions_are_said_in_every_format(tmp_path):
    table = images(400).assign(label=["cat"] * 40 + ["dog"] * 360)
    write_run(tmp_path / "before", {"fine_tuned": predicted(table, range(4))})
    write_run(tmp_path / "after", {"fine_tuned": predicted(table, range(40))})
    summary = tmp_path / "after" / "report" / "summary.json"
    summary.write_text(json.dumps({"recommended": "fine_tuned", "cautions": ["Only 9 | images."]}))
    text, markdown, found = (command(tmp_path, "--format", name) for name in ("text", "markdown", "json"))
    assert re.search(r"fine_tuned +95\.0 % +50\.0 % +99\.0 % +90\.0 % +-45\.0 \(.*\) +< 0\.001 +worse", text.stdout)
    assert "the verdicts are of the balanced accuracy" in text.stdout
    assert "Difference: balanced accuracy after less before" in text.stdout
    assert text.stdout.endswith("Caution: Only 9 | images.\n")
    assert "| model | balanced before | balanced after | accuracy before | accuracy after |" in markdown.stdout
    assert r"Caution: Only 9 \| images." in markdown.stdout
    figures_found = json.loads(found.stdout)
    assert (figures_found["measure"], figures_found["cautions"]) == ("balanced_accuracy", ["Only 9 | images."])
    assert figures_found["recommended"]["verdict"] == "worse"


def test_the_command_refuses_in_every_format(written):
    table = pd.read_csv(written / "after" / "evaluation" / "fine_tuned" / "predictions.csv")
    odd = table.assign(path="a|b <i>", sha256=np.arange(len(table)))
    for name in ("fine_tuned", "a|b_c"):
        odd.to_csv(written / "after" / "evaluation" / name / "predictions.csv", index=False)
    text, markdown, found = (command(written, "--format", name) for name in ("text", "markdown", "json"))
    assert {text.returncode, markdown.returncode, found.returncode} == {1}
    assert text.stderr.startswith(
        "error: v1 and the workspace are not compared: the test images differ: 200 only in v1"
    )
    assert text.stderr.count("\n") == 1
    assert "**Not compared**: the test images differ" in markdown.stdout
    assert r"a\|b &lt;i&gt;" in markdown.stdout
    assert json.loads(found.stdout)["refused"].startswith("the test images differ")


def test_results_that_are_not_of_now_are_said_first_in_every_format(written, capsys):
    found = compare(written / "before", written / "after", "v1", "the workspace")
    shown = {}
    for form, show in _SHOW.items():
        show(found, ["v1: of an earlier state: @team"])
        shown[form] = capsys.readouterr().out
    assert shown["text"].startswith("CAUTION: v1: of an earlier state: @team\n")
    assert shown["markdown"].splitlines()[2] == "**CAUTION: v1: of an earlier state: @&#8203;team**"
    assert json.loads(shown["json"])["stale"] == ["v1: of an earlier state: @team"]

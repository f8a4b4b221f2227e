"""A bundle with limits has a column for the decision, in every table."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from pyarrow import parquet

from smallset.cli import commands
from smallset.inference.results import Predictions, of_probabilities
from smallset.tables import terminal, writers
from tests.smallset.test_classifier import SAID, changed, examples

FOUND = Predictions(
    [
        of_probabilities(["=cat", "dog"], [0.9, 0.1], 0, "a.jpg", place=0, decision="sure", distance=1.5),
        of_probabilities(["=cat", "dog"], [0.9, 0.1], 1, "b.jpg", place=1, decision="unsure", distance=2.5),
    ]
)


def written(file: Path, form: writers.Format) -> Path:
    with writers.writing(file, form, ["=cat", "dog"], decided=True) as write:
        for one in FOUND:
            write(one)
    return file


def test_the_label_follows_the_rule_and_not_the_likeliest_class() -> None:
    assert [(one.label, one.probability) for one in FOUND] == [("=cat", 0.9), ("dog", 0.1)]
    assert FOUND.table()["decision"] == ["sure", "unsure"]


def test_files_have_it(tmp_path: Path) -> None:
    lines = written(tmp_path / "a.csv", "csv").read_text().splitlines()
    assert lines == ["path,predicted,decision,p_=cat,p_dog", "a.jpg,'=cat,sure,0.9,0.1", "b.jpg,dog,unsure,0.9,0.1"]
    rows = [json.loads(line) for line in written(tmp_path / "a.jsonl", "jsonl").read_text().splitlines()]
    assert [(row["decision"], row["distance"]) for row in rows] == [("sure", 1.5), ("unsure", 2.5)]
    table = parquet.read_table(written(tmp_path / "a.parquet", "parquet")).to_pydict()
    assert list(table) == ["path", "predicted", "decision", "p_=cat", "p_dog"]
    assert table["decision"] == ["sure", "unsure"]


def test_the_index_of_heat_maps_has_it(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changed(decisions=SAID | {"unsure_below": 2.0})(Path(shutil.copytree(bundle, "copy")))
    assert commands.run(["predict", str(examples(bundle)[0]), "--model", "copy", "--explain", "why"]) == 0
    with Path("why/index.csv").open(encoding="utf-8", newline="") as file:
        assert [row["decision"] for row in csv.DictReader(file)] == ["unsure"]


@pytest.mark.parametrize("classes", [2, 6])
def test_the_terminal_has_it(classes: int, capsys) -> None:
    names = [f"kind {number}" for number in range(classes)]
    values = [1 / classes] * classes
    with terminal.showing(names, decided=True) as write:
        write(of_probabilities(names, values, 0, "a.jpg", place=0, decision="unknown"))
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["path", "predicted", "decision"]
    assert row.startswith("a.jpg  kind 0     unknown ")


def test_the_terminal_has_the_probability_of_the_predicted_class_of_many(capsys) -> None:
    """Which another rule than the likeliest class may have chosen."""
    names = ["a", "b", "c", "d", "e"]
    with terminal.showing(names, decided=True) as write:
        write(of_probabilities(names, [0.6, 0.2, 0.1, 0.06, 0.04], 0, "x.jpg", place=4, decision="unsure"))
    row = capsys.readouterr().out.splitlines()[1]
    assert " ".join(row.split()) == "x.jpg e unsure 0.0400 a 0.6000, b 0.2000"

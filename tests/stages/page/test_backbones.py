"""The table of the backbones that were to choose from."""

import json
import re
from pathlib import Path

import pytest

from stages.lib.page.backbones import compared
from tests.stages.report_inputs import run_report, write_inputs

SMALL = {
    "preset": "small_one",
    "image_size": 224,
    "own_size": 224,
    "parameters": 1_000_000,
    "multiply_adds": 300_000_000,
    "megabytes": 4.0,
    "channels": 8,
    "images": 60,
    "measure": "accuracy",
    "figure": 0.9,
    "low": 0.8,
    "high": 0.95,
    "log_loss": 0.3,
    "milliseconds": 12.3,
    "best": False,
    "chosen": True,
}
LARGE = SMALL | {"preset": "/home/<me>/large", "figure": 0.91, "best": True, "chosen": False}


def written(folder: Path, *rows: dict) -> Path:
    file = folder / "backbones.json"
    file.write_text(json.dumps(rows))
    return file


def test_without_candidates_there_is_no_table(tmp_path: Path) -> None:
    assert compared(written(tmp_path)) is None


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([SMALL, LARGE], "It is the cheapest of those within one standard error of the best, /home/<me>/large."),
        ([SMALL | {"best": True}, LARGE | {"best": False}], "It has the highest figure, and none that is cheaper "),
        ([SMALL | {"best": True}], "It was the only one asked for."),
    ],
)
def test_it_is_said_why_one_was_taken(rows: list[dict], why: str, tmp_path: Path) -> None:
    found = compared(written(tmp_path, *rows))
    assert found is not None
    assert found.why.startswith(why)


def test_the_report_shows_figure_interval_time_and_size(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    for name in ("data/dataset", "models", "evaluation", "report"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_inputs(folder, ["cat", "dog"], [20, 20], {"scratch": 0.8})
    assert "Which backbone" not in run_report(folder)
    written(folder / "models", SMALL, LARGE)
    page = run_report(folder)
    text = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("Which backbone") :]).replace("\xa0", " ").split())
    assert "small_ one taken 90.0 % 80.0 to 95.0 % 0.300 12.3 4.0 300 224 " in text
    assert "&lt;me&gt;" in page
    assert "<me>" not in page

"""`smallset export` finds the model, and passes on what was typed."""

import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import app


@pytest.fixture
def passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A project with one model, in the working directory; takes the words that would be carried out."""
    (tmp_path / "models" / "scratch").mkdir(parents=True)
    (tmp_path / "models" / "scratch" / "model.keras").touch()
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    found: list[list[str]] = []

    def replaced(_: str, command: list[str]) -> None:
        found.append(command)
        sys.exit(0)

    monkeypatch.setattr(os, "execv", replaced)
    return found


def test_it_passes_on_the_model_the_folder_and_the_options(passed_on, tmp_path):
    done = CliRunner().invoke(app, ["export", "--model", "scratch", "--format", "onnx", "--margin", "0.02"])
    assert done.exit_code == 0, done.output
    (command,) = passed_on
    assert command[1:3] == ["-m", "stages.export"]
    place = ["--directory", str(tmp_path / "models" / "scratch"), "--output", str(Path("exports") / "scratch")]
    assert command[3:] == [*place, "--format=onnx", "--layout=plain", "--margin=0.02", "--faster=1.5"]


@pytest.mark.parametrize(
    ("typed", "formats"), [([], ["all"]), (["--format", "onnx", "--format", "litert"], ["onnx", "litert"])]
)
def test_several_formats_are_all_passed_on(passed_on, typed, formats):
    CliRunner().invoke(app, ["export", "--model", "scratch", *typed])
    (command,) = passed_on
    assert [word.partition("=")[2] for word in command if word.startswith("--format")] == formats


def test_an_empty_text_is_no_model(passed_on):
    """Such as a variable that is not set: the recommended model was not asked for."""
    Path("models/classifier").mkdir()
    Path("models/classifier/classifier.json").write_text("{}")
    done = CliRunner().invoke(app, ["export", "--model", ""])
    assert (done.exit_code, passed_on) == (1, [])
    assert "expected a bundle or a project. Received: an empty text" in done.output


def test_what_is_no_model_is_one_line(passed_on):
    done = CliRunner().invoke(app, ["export", "--model", "nothing"])
    assert done.exit_code != 0
    assert not passed_on
    assert "nothing: expected" in done.output
    assert "Traceback" not in done.output

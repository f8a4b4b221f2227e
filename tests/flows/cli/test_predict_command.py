"""A model of the project that is no bundle: Keras predicts with it, and nothing else takes it."""

import os
from pathlib import Path

import pytest

from flows.cli import predict_command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model that has been trained and not handed over."""
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "models" / "scratch").mkdir(parents=True)
    (tmp_path / "models" / "scratch" / "model.keras").touch()
    monkeypatch.setenv("SMALLSET_PROJECT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("words", [["verify", "scratch"], ["serve", "scratch"]], ids=" ".join)
def test_only_a_bundle_is_verified_and_served(
    project: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict_command.run(words) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {project / 'models' / 'scratch'}: expected a bundle: this model is no bundle")
    assert (said.err.count("\n"), said.out) == (1, "")


def test_keras_predicts_with_the_stages_of_the_project_and_takes_no_path_for_an_option(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def take_the_place(program: str, command: list[str], environment: dict[str, str]) -> None:
        started.append(command)
        assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(project)
        raise SystemExit(0)

    monkeypatch.setattr(predict_command.os, "name", "posix")
    monkeypatch.setattr(predict_command.os, "execve", take_the_place)
    with pytest.raises(SystemExit):
        predict_command.run(["predict", "--model", "scratch", "--csv", "all.csv", "-0", "--", "-cat.jpg"])
    [command] = started
    assert command[command.index("-m") + 1] == "stages.predict"
    assert command[command.index("--csv") + 1] == "all.csv"
    assert "--null" in command
    assert command[command.index("--") :] == ["--", "./-cat.jpg"]
    assert capsys.readouterr().err.startswith("by Keras, which takes seconds to start: this model is no bundle")

"""Help in groups, with examples, and names that a shell completes."""

import os
import subprocess
import sys

import pytest
import typer

from flows.cli import completion
from flows.cli.app import app
from flows.cli.panels import PANELS
from flows.execution.stage_lines import lines_of

COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_panel_and_examples(name):
    assert any(name in names for names in PANELS.values())
    assert COMMANDS[name].rich_help_panel in PANELS
    assert f"smallset {name}" in COMMANDS[name].epilog


def test_a_shell_is_offered_names(tmp_path):
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "profiles").mkdir()
    for name in ("digits", "dogs_vs_cats", "other"):
        (tmp_path / "profiles" / f"{name}.yaml").touch()
    (tmp_path / "deep").mkdir()
    words = {"COMP_WORDS": "smallset use d", "COMP_CWORD": "2", "_SMALLSET_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli"],
        cwd=tmp_path / "deep",
        env=os.environ | words,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["digits", "dogs_vs_cats"], "")


def test_no_name_is_offered_that_a_shell_would_obey(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    for command in (["init", "--quiet"], [*author, "commit", "--quiet", "--allow-empty", "--message", "Start"]):
        subprocess.run(["git", *command], check=True)
    for tag in ("run/1", "run/$(touch${IFS}x)", "run/a;b", "run/`id`", "v1", "run/猫"):
        subprocess.run(["git", "tag", tag], check=True)
    assert sorted(completion.runs("")) == ["run/1", "run/猫"]
    assert completion.runs_and_in_use("i") == ["in-use"]
    assert "v1" in completion.revisions("v")
    for name in ("split", "evaluate@x", "evaluate@$(id)"):
        with lines_of(name, lambda _: None) as take:
            take("a line")
    (tmp_path / "dvc.yaml").touch()
    assert completion.stages("") == ["evaluate@x", "split"]


def test_outside_a_project_and_a_repository_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    offered = (completion.profiles, completion.stages, completion.runs, completion.branches, completion.revisions)
    assert [offer("") for offer in offered] == [[]] * 5

"""`flows.project.cache`: what DVC would lay down rather than make."""

import shutil
import threading

import pytest

from flows.execution.process import run_stage
from flows.execution.process_output import Outcome
from flows.project.cache import is_kept

MADE = "mkdir made && cat params.yaml > made/one"


@pytest.fixture
def project(make):
    """Of a stage that has run twice, with x of 1 and then of 2."""
    found = make({"a": {"cmd": MADE, "deps": ["source"], "params": ["x"], "outs": ["made"]}})
    (found / "source").write_text("1")
    for value in (1, 2):
        (found / "params.yaml").write_text(f"x: {value}\n")
        if value == 1:
            assert not is_kept("a")
        assert run() is Outcome.RAN
    return found


def run() -> Outcome:
    return run_stage("a", lambda _: None, threading.Event()).outcome


def test_what_the_last_run_has_left_is_kept_while_the_cache_has_all_of_it(project):
    shutil.rmtree(project / "made")
    assert is_kept("a")
    (project / "source").unlink()
    assert is_kept("a")
    for file in (project / ".dvc" / "cache" / "files").rglob("*[0-9a-f]"):
        if file.is_file():
            file.unlink()  # the list of what the directory had is still there
    assert not is_kept("a")


def test_of_other_parameters_what_a_run_with_those_has_left_is_kept(project):
    (project / "params.yaml").write_text("x: 3\n")
    assert not is_kept("a")
    (project / "params.yaml").write_text("x: 1\n")
    assert is_kept("a")
    assert run() is Outcome.RESTORED
    (project / "source").unlink()
    (project / "params.yaml").write_text("x: 2\n")
    assert not is_kept("a"), "nobody knows what the source will be"

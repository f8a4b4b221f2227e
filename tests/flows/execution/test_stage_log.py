"""`flows.execution.stage_log`: the whole output of a stage's last run."""

import pytest

from flows.execution.stage_lines import lines_of
from flows.execution.stage_log import log_file, logged_stages, read_log


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_stage_that_does_nothing_leaves_its_last_output():
    for said in (["Running stage 'a':", "one"], ["Stage 'a' didn't change, skipping"]):
        with lines_of("a", lambda _: None) as take:
            for line in said:
                take(line)
    assert list(read_log("a")) == ["Running stage 'a':", "one"]


def test_a_long_output_keeps_its_end(monkeypatch):
    monkeypatch.setattr("flows.execution.stage_log._MOST", 1_000)
    with lines_of("evaluate@a/../../b", lambda _: None) as take:
        for number in range(1_000):
            take(f"line {number}")
    found = list(read_log("evaluate@a/../../b"))
    assert found[-1] == "line 999"
    assert 100 < len(found) < 400
    assert logged_stages() == ["evaluate@a/../../b"]
    assert log_file("evaluate@a/../../b").parent.name == "logs"


def test_a_log_that_cannot_be_written_fails_nothing(tmp_path):
    (tmp_path / ".smallset").write_text("a file")
    taken: list[str] = []
    with lines_of("a", taken.append) as take:
        take("one")
    assert taken == ["one"]

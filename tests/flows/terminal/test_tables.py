"""Tables and sentences in the width that there is."""

import sys

import pytest
from rich.cells import cell_len
from rich.table import Table

from flows.cli import tables
from flows.cli.log_command import show_log
from flows.cli.run_command import outcomes
from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult
from flows.execution.stage_lines import lines_of
from flows.project.graph import StageNode
from flows.terminal.tables import print_table, say
from tests.flows.terminal.terminals import CONTROL

LONG = "evaluate@feature_extraction_augmented"


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Stand at a terminal of so many columns."""

    def stand(columns: int) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    return stand


def table(why: str = "depends on feature_extraction_augmented, backbone") -> Table:
    made = Table("stage", "status", "last time", "why")
    made.columns[2].justify = "right"
    made.add_row(tables.cell(LONG), tables.cell("may change"), "2 min 10 s", tables.cell(why))
    made.add_row(tables.cell("写真" * 8), tables.cell("up to date"), "3 s", "")
    return made


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_at_a_terminal_nothing_is_wider_and_no_name_is_cut(columns, terminal, capsys):
    terminal(columns)
    print_table(table())
    out = CONTROL.sub("", capsys.readouterr().out)
    assert max(map(cell_len, out.splitlines())) <= columns
    assert LONG in out
    assert "写真" * 8 in out
    words = " ".join(out.replace("│", " ").split())
    assert all(text in words for text in ("may change", "2 min 10 s", "feature_extraction_augmented, backbone"))


def test_a_column_of_figures_that_goes_below_a_row_keeps_its_title(terminal, capsys):
    terminal(60)
    made = Table("model", "accuracy", "validation")
    made.columns[2].justify = "right"
    made.add_row("a" * 45, "0.9", "0.8")
    print_table(made)
    assert CONTROL.sub("", capsys.readouterr().out).splitlines()[1:] == [f"{'a' * 45}  0.9", "    validation 0.8"]


@pytest.mark.parametrize("terminal", ["40", "500"])
def test_a_pipe_has_the_width_of_what_is_in_the_table(monkeypatch, capsys, terminal):
    monkeypatch.setenv("COLUMNS", terminal)
    print_table(table())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert {len(lines[0])} == set(map(cell_len, lines))
    assert len(lines[0]) < 130


def test_a_pipe_folds_a_long_last_column_and_nothing_else(capsys):
    print_table(table("reason " * 100))
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= 240
    assert out.count("reason") == 100
    assert LONG in out


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_sentences_are_broken_between_words_at_a_terminal_alone(columns, terminal, capsys, monkeypatch):
    terminal(columns)
    text = "no difference is shown to [feature_extraction_augmented]: " * 5
    say(text)
    lines = CONTROL.sub("", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= columns
    assert " ".join(" ".join(lines).split()) == text.strip()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    say(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize(
    ("stale", "seconds", "text"),
    [
        ([], {"a": 1.0}, "a run would do nothing: no stage has changed"),
        (["a", "b"], {"a": 60.0, "b": 75.0}, "a run would do 2 of 3 stages: about 2 min 20 s, as last time"),
        (["a", "b"], {"a": 5.0, "c": 9.0}, "a run would do 2 of 3 stages: about 5 s, as last time; of 1 further stage"),
        (["a"], {}, "a run would do 1 of 3 stages; how long that takes is not known: none of them has run here yet"),
    ],
)
def test_status_says_what_a_run_would_do_and_how_long(stale, seconds, text):
    assert tables.to_do(stale, 3, seconds).startswith(text)


def test_status_shows_how_long_each_stage_took(capsys):
    tables.show_status([StageNode("a", (), True, ()), StageNode("b", ("a",), True, ("c modified",))], {"a": 75.0})
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "a up to date 1 min 15 s b changed c modified" in out
    assert out.endswith("a run would do 1 of 2 stages; how long that takes is not known: none of them has run here yet")


def test_a_run_ends_with_what_became_of_its_stages():
    kinds = [Outcome.RAN, Outcome.RAN, Outcome.UP_TO_DATE, Outcome.FAILED, Outcome.NOT_RUN, Outcome.NOT_RUN]
    results = [StageResult(f"s{number}", kind) for number, kind in enumerate(kinds)]
    assert outcomes(results, 75.0) == (
        "6 stages in 1 min 15 s: 2 ran, 1 up to date, 1 failed, 2 not run, since a stage before failed: s4, s5"
    )
    # One that is turned off did nothing, unless it failed at that.
    assert outcomes(results, 75.0, {"s0", "s2", "s3", "s4"}) == (
        "6 stages in 1 min 15 s: 1 ran, 1 up to date, 1 failed, 1 had nothing to do, 2 not run, "
        "since a stage before failed: s4, s5"
    )


def test_log_shows_the_output_of_a_stage_or_which_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match="no output is kept here yet"):
        show_log(None)
    for name in ("split", "evaluate@x"):
        with lines_of(name, lambda _: None) as take:
            take(f"{name} one")
            take("\x1b[2J two")
    show_log("evaluate@x")
    assert capsys.readouterr().out == "evaluate@x one\n\\x1b[2J two\n"
    show_log(None)
    out = capsys.readouterr().out
    assert [name in out for name in ("split", "evaluate@x", r"\x1b[2J two")] == [True] * 3
    with pytest.raises(FlowError, match="nosuch: expected a stage that has run here: evaluate@x, split"):
        show_log("nosuch")

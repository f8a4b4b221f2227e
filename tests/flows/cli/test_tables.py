"""Tables show names and reasons as they are, and what a terminal would obey as escapes."""

import pytest

from flows.cli import tables
from flows.cli.history_table import show_history
from flows.cli.run_command import outcomes
from flows.execution.process_output import Outcome, StageResult
from flows.project.graph import StageNode
from flows.registry.history import Entry
from flows.run.results import Results
from safety.text import visible

TEXTS = {
    "IMG [edited].jpg": "IMG [edited].jpg",
    "a:cat:b": "a:cat:b",
    "q[/a]": "q[/a]",
    "back\\[b]\\": "back\\[b]\\",
    "two\nlines": r"two\nlines",
    "\x1b[2Jgone": r"\x1b[2Jgone",
    "caf\udce9": r"caf\xe9",
    "\ud800": r"\ud800",
    "\u202eexe": r"\u202eexe",
    "\u200bx": r"\u200bx",
    "क\u200dष": "क\u200dष",
    "é 猫 👩\u200d🔬": "é 猫 👩\u200d🔬",
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.items())
def test_what_a_terminal_would_obey_is_escaped(text, shown):
    assert visible(text) == shown
    shown.encode()


@pytest.mark.parametrize(("text", "shown"), list(TEXTS.items())[:-2])
def test_every_table_shows_it_so(capsys, text, shown):
    print(outcomes([StageResult(text, Outcome.NOT_RUN)], 1.0))
    tables.show_status([StageNode(text, (), True, (text,))], {})
    tables.show_models(Results([{"model": text, "accuracy": 0.5}]))
    shown_last = ("run/1", "c" * 40, "2026", "failed", {}, text, "accuracy", None, "", text, "v1", True)
    show_history([Entry(*shown_last, "main", "c" * 40, None, False, "", "", "", {}, [], True)])
    out = capsys.readouterr().out
    assert out.count(shown) == 6

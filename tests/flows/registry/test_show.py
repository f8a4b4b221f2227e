"""`flows.registry.show`: figures that somebody else has written, and the keys that programs read."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from flows.registry import show
from flows.registry.decisions import WAITING
from flows.registry.history import Entry
from tests.packages import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["1e400", "-Infinity", "NaN", f"1{'0' * 400}", '"0.5"', "null", "[1]"])
def test_what_is_no_figure_is_left_out(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "git", lambda *_: "evaluation/x/figures.json")
    monkeypatch.setattr(show, "content", lambda *_: f'{{"accuracy": {value}, "log_loss": 0.5}}')
    assert json.dumps(dict(show._metrics("HEAD"))) == '{"x": {"log_loss": 0.5}}'


def documented(command: str) -> Iterator[str]:
    """The keys of `--json` that the page gives to a command."""
    table = PAGE.partition("| key | of | what |")[2].partition("\n\n")[0]
    for names, of in re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", table, re.MULTILINE):
        if "both" in of or of == f"`{command}`":
            yield from re.findall(r"`(\w+)`", names)


def test_the_keys_of_the_page_are_those_of_history_and_show() -> None:
    assert sorted(documented("history")) == sorted(field.name for field in fields(Entry))
    [found] = [node for node in ast.walk(ast.parse(inspect.getsource(show.describe))) if isinstance(node, ast.Return)]
    assert isinstance(found.value, ast.Dict)
    keys = {ast.literal_eval(key) for key in found.value.keys if key is not None}
    inside = {*WAITING, "test_images"} - {"decision"}  # of the object `decision`, as the page says
    assert set(documented("show")) == keys | inside
    assert "in `show` inside an object `decision`, with `made_here`" in PAGE

"""`flows.registry.show`: figures that somebody else has written."""

import json

import pytest

from flows.registry import show


@pytest.mark.parametrize("value", ["1e400", "-Infinity", "NaN", f"1{'0' * 400}", '"0.5"', "null", "[1]"])
def test_what_is_no_figure_is_left_out(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "git", lambda *_: "evaluation/x/figures.json")
    monkeypatch.setattr(show, "content", lambda *_: f'{{"accuracy": {value}, "log_loss": 0.5}}')
    assert json.dumps(dict(show._metrics("HEAD"))) == '{"x": {"log_loss": 0.5}}'

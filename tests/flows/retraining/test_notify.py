"""`flows.retraining.notify`: a word to the outside, which no run fails for."""

import re
import socket
from types import SimpleNamespace

from flows.retraining import retrain
from flows.retraining.notify import REFUSED, VARIABLE, notify
from tests.packages import ROOT


def test_a_word_gets_there(site):
    assert notify("failed", "main: no images", branch="main", run="run/1") is None
    assert site.posts == [{"event": "failed", "text": "main: no images", "branch": "main", "run": "run/1"}]


def test_nobody_is_told_where_nobody_asked(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert notify("failed", "main: no images") is None


def test_what_does_not_get_there_is_said(site, monkeypatch):
    site.status = 500
    assert notify("failed", "x").startswith(f"{VARIABLE}: not told: the server answered 500 ")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for address in (f"http://127.0.0.1:{closed.getsockname()[1]}", "no address"):
            monkeypatch.setenv(VARIABLE, address)
            assert notify("failed", "x").startswith(f"{VARIABLE}: not told: ")


def test_a_word_is_carried_nowhere_else(site):
    site.status, site.headers = 307, {"Location": f"{site.address}/elsewhere"}
    assert notify("failed", "x") == f"{VARIABLE}: {REFUSED}: it leads elsewhere, or is no address of http or https"
    assert len(site.posts) == 1


def test_a_word_is_tried_again_a_few_times_and_fails_nothing(site, monkeypatch):
    from flows.retraining import tell

    lines = []
    log = SimpleNamespace(warning=lambda text, *words: lines.append(text % words))
    monkeypatch.setattr(tell, "_log", lambda: log)
    monkeypatch.setattr(tell, "WAIT", 0.01)
    site.status = 503
    tell.tell("failed", "main: no images", branch="main")
    assert len(site.posts) == tell.TRIES
    [logged] = lines
    assert "not told: the server answered 503" in logged
    assert logged.endswith("(failed: main: no images)")
    # What is refused once is refused again.
    site.posts.clear()
    site.status = 404
    tell.tell("failed", "main: no images")
    assert len(site.posts) == 1


def test_the_pages_name_every_state_and_its_code():
    states = {**retrain._CODES, "Failed": 1}
    page = (ROOT / "docs" / "retraining.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", page.partition("on the states")[2].partition("\n")[0])) == set(states)
    table = (ROOT / "docs" / "unattended.md").read_text(encoding="utf-8").partition("## How a command ends")[2]
    rows = dict(re.findall(r"^\| (\d+) \|(.*)$", table, re.MULTILINE))
    assert [state for state, code in states.items() if state not in rows[str(int(code))]] == []

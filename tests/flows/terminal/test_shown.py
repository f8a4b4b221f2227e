"""A run as a person sees it: at a terminal of some size, and where there is none."""

import logging
import re
import sys
import threading
import time
import unicodedata
from io import StringIO

import pytest
from rich.cells import cell_len

from flows.cli.errors import one_line_errors
from flows.execution.process_output import Outcome, StageResult
from flows.execution.stage_lines import word_of_run
from flows.execution.stage_log import read_log
from flows.execution.watching import is_watched, watched_by, watcher
from flows.terminal import live
from flows.terminal import shown as showing
from tests.flows.terminal.terminals import CONTROL, frames, left_on_screen, plain, run_stages, terminal

HOSTILE = [
    "\x1b[2J\x1b]0;title\x07 class \x1b[31mcat\x1b[0m",
    "rejected: \u202egpj.exe, caf\udce9".encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    "classes: 猫の写真、犬の写真、鳥の写真、馬の写真、魚の写真、亀の写真、猫の写真、犬の写真、鳥の写真",
    "الصنف قط وكلب وطائر وسمكة وحصان وبقرة وخروف ودجاجة وأرنب وفأر وسلحفاة وضفدع",
    f"rejected: /{'folder/' * 40}IMG_1.jpg: cannot identify image file",
    "[bold red]no markup[/bold red] [/]",
    "10 %\r20 %\r\b\b30 %",
    *(f"epoch {epoch:3}/20  loss 0.1234 (validation 0.2345), accuracy 0.950 (0.940), best" for epoch in range(1, 21)),
    "decoding: 1,200 (40 %)",
]
STAGES = [(name, HOSTILE) for name in ("split", "feature_extraction_augmented", "evaluate@猫の写真猫の写真猫の写真")]


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    """In a folder of its own, and without the import of Prefect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(showing, "_silence_tools", lambda: None)


@pytest.mark.parametrize(("term", "drawn"), [("dumb", False), ("xterm", True)])
def test_no_command_lets_dvc_draw_bars_where_nothing_draws(monkeypatch, term, drawn):
    bars = logging.getLogger("dvc.progress")
    monkeypatch.setattr(bars, "level", logging.NOTSET)
    with terminal(80, 24, monkeypatch):
        monkeypatch.setenv("TERM", term)
        with one_line_errors():
            assert (bars.level < logging.CRITICAL) is drawn
    bars.setLevel(logging.NOTSET)


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal(monkeypatch, columns):
    with terminal(columns, 24, monkeypatch) as written, showing.shown():
        run_stages(*STAGES)
        watcher().started("split")
        for line in HOSTILE:
            watcher().said("split", line.split("\r")[-1].replace("\x1b", "").replace("\x07", ""))
        time.sleep(0.4)
    [text] = written
    lines = [line for frame in frames(text) for line in frame]
    assert max(map(cell_len, lines)) <= columns
    assert any("done" in line for line in lines)
    # Nothing of the names is obeyed.
    assert not {"\x07", "\u202e", "\x1b[2J", "\x1b]"} & {
        part for part in ("\x07", "\u202e", "\x1b[2J", "\x1b]") if part in text
    }


@pytest.mark.parametrize("rows", [3, 6, 24])
def test_no_frame_is_higher_than_the_terminal(monkeypatch, rows):
    with terminal(80, rows, monkeypatch) as written, showing.shown():
        watcher().planned([f"stage_{number}" for number in range(9)], (), {})
        for number in range(9):
            watcher().started(f"stage_{number}")
            for line in HOSTILE[-5:]:
                watcher().said(f"stage_{number}", line)
        time.sleep(0.4)
    assert max(len(frame) for frame in frames(written[0])) <= rows


def test_the_display_says_which_stage_how_far_and_how_long(monkeypatch):
    with terminal(80, 24, monkeypatch) as written, showing.shown():
        watcher().planned(["split", "fine_tuned", "report"], {"split"}, {"fine_tuned": 200.0, "report": 10.0})
        watcher().ended(StageResult("split", Outcome.UP_TO_DATE))
        watcher().started("fine_tuned")
        watcher().said("fine_tuned", "Running stage 'fine_tuned':")
        watcher().said("fine_tuned", "epoch   1/4  loss 0.5")
        watcher().said("fine_tuned", "3 images are likely mislabelled")
        time.sleep(0.6)
        watcher().ended(StageResult("fine_tuned", Outcome.RAN, 61.0))
        watcher().noted("use fine_tuned: 97.8 % of 2,000 test images")
    shown = next(frame for frame in reversed(frames(written[0])) if frame[0].startswith("stage 1"))
    assert re.match(r"stage 1 of 2  fine_tuned  fine-tune the backbone +[01] s", shown[0])
    assert re.match(r" +\S+ +epoch 1 of 4 +about 3 min 20 s left", shown[1])
    assert [line.strip() for line in shown[2:4]] == ["epoch   1/4  loss 0.5", "3 images are likely mislabelled"]
    assert shown[4].startswith("0 of 2 stages done, ")
    assert "about 3 min 30 s left" in shown[4]
    left = "\n".join(frames(written[0])[-1]).strip()
    whole = CONTROL.sub("", written[0])
    assert "1 of 3 stages are up to date" in whole
    assert re.search(r"1/2  fine_tuned  fine-tune the backbone +done, 1 min 1 s", whole)
    assert "use fine_tuned: 97.8 % of 2,000 test images" in whole
    assert "stage 1 of" not in left


def test_what_has_ended_stays_while_several_threads_print_and_draw(monkeypatch):
    monkeypatch.setattr(live, "_EVERY", 0.001)
    names = [f"stage_{number}" for number in range(200)]

    def run(some):
        for name in some:
            watcher().started(name)
            watcher().said(name, "epoch 1/2  loss 1")
            watcher().ended(StageResult(name, Outcome.RAN, 1.0))

    with terminal(80, 24, monkeypatch) as written, showing.shown():
        watcher().planned(names, (), {})
        threads = [threading.Thread(target=run, args=(names[first::4],)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    kept = left_on_screen(written[0])
    assert sorted(line.split()[1] for line in kept if "done" in line) == sorted(names)
    assert len(kept) == len(names)


def test_what_failed_is_told_whole(monkeypatch):
    reason = f"expected an image. Received: {'folder/' * 40}end.jpg"
    with terminal(60, 24, monkeypatch) as written, showing.shown():
        run_stages(("split", []), failed=reason)
    assert reason.replace(" ", "") in re.sub(r"\s", "", CONTROL.sub("", written[0]))


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_shall_not_draw_gets_plain_lines(monkeypatch, name, value):
    with terminal(80, 24, monkeypatch) as written:
        monkeypatch.setenv(name, value)
        with showing.shown():
            run_stages(*STAGES)
    lines = written[0].replace("\r\n", "\n").split("\n")
    assert not {letter for line in lines for letter in line if unicodedata.category(letter) in ("Cc", "Cf")}
    assert max(map(cell_len, lines)) < 80


def test_a_pipe_gets_plain_lines(monkeypatch):
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with showing.shown():
        assert is_watched()
        run_stages(*STAGES)
    assert not is_watched()
    text = stream.getvalue()
    assert text.startswith("3 of 3 stages to do\n[1/3] split: check and divide the images\n")
    assert not {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf")} - {"\n"}
    assert f"[2/3] feature_extraction_augmented: {HOSTILE[4]}\n" in text
    assert "[3/3] evaluate@猫の写真猫の写真猫の写真: done, 2 s\n" in text


@pytest.mark.parametrize("is_live", [True, False])
def test_a_burst_of_lines_holds_nothing_up(monkeypatch, is_live):
    lines = [f"line {number} says something of /data/images/cat_{number}.jpg, \u200b" for number in range(50_000)]
    taken: list[str] = []
    with terminal(80, 24, monkeypatch):
        if not is_live:
            monkeypatch.setenv("NO_COLOR", "1")
        with showing.shown():
            started = time.process_time()
            run_stages(("split", lines), taken=taken)
            took = time.process_time() - started
    # The log has everything, Prefect's database does not.
    assert sum(1 for _ in read_log("split")) == 50_000
    assert len(taken) < 1_000
    assert took < 5


def test_words_of_prefect_stay_out_and_those_of_this_project_and_of_others_come_in():
    one, stream = plain()
    logger = logging.Logger("x")

    def record(name: str, path: str) -> logging.LogRecord:
        return logger.makeRecord(name, logging.WARNING, path, 1, f"from {name}", (), None)

    ours = str(showing.__file__)
    mine = showing._ForPeople()
    records = [record("prefect.flow_runs", "/site/prefect/engine.py"), record("prefect.flow_runs", ours)]
    records += [record("urllib3", "/site/urllib3/pool.py")]
    with watched_by(one):
        assert [mine.filter(one) for one in records] == [False, False, False]
    assert stream.getvalue() == "from prefect.flow_runs\nfrom urllib3\n"
    assert [mine.filter(one) for one in records] == [False, True, True]


def test_a_word_of_the_run_is_told_once():
    one, stream = plain()
    logger = logging.Logger("x")
    handler = logging.StreamHandler(stream)
    handler.addFilter(showing._ForPeople())
    logger.addHandler(handler)
    with watched_by(one):
        word_of_run(logger)("first answer: use x")
    assert stream.getvalue() == "first answer: use x\n"

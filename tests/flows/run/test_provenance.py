"""`flows.run.provenance` and `flows.run.run_page`: what is true of one run, and of no other."""

import json
import re
import subprocess

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult
from flows.run.provenance import RECORD, StageRecord, read_record, recorded, remade_since
from flows.run.results import REPORT, RUN_REPORT
from flows.run.run_page import SLOT, renew_page, write_page

FLOW_RUN = {"name": "fine <owl>", "id": "0123"}
STAGES = {
    "train": {"cmd": "cp source model", "deps": ["source"], "outs": ["model"]},
    "report": {
        "cmd": f"mkdir -p report && (echo '<p>'; echo '{SLOT}'; cat model; echo '</p>') > report/report.html",
        "deps": ["model"],
        "outs": ["report/report.html"],
    },
}


@pytest.fixture
def project(make, dvc):
    """A project that `dvc repro` has run, once, without a flow."""
    project = make(STAGES)
    (project / "source").write_text("1")
    dvc("repro")
    return project


def record(*results: StageResult) -> None:
    with recorded(["train", "report"], FLOW_RUN) as take:
        for result in results:
            take(result)


def stages() -> dict[str, StageRecord]:
    return {stage.name: stage for stage in read_record().stages}


def text_of(file=RUN_REPORT) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", file.read_text()).split())


RAN = (StageResult("train", Outcome.RAN, 71.04), StageResult("report", Outcome.RAN, 2.0))
FRESH = (StageResult("train", Outcome.UP_TO_DATE), StageResult("report", Outcome.UP_TO_DATE, 0.9))


def test_a_record_says_what_and_where_and_how_long(project):
    record(*RAN)
    content = json.loads(RECORD.read_text())
    assert list(content) == [
        "commit", "changed", "machine", "packages", "started", "seconds", "flow_run", "stages",
    ]  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", content["started"])
    assert content["machine"]["cores"] >= 1
    assert content["machine"]["memory"] > 1e8
    assert {"python", "keras", "dvc", "prefect", "smallset"} <= set(content["packages"])
    assert [(stage["name"], stage["outcome"], stage["took"]) for stage in content["stages"]] == [
        ("train", "ran", 71.0),
        ("report", "ran", 2.0),
    ]
    assert list(RECORD.parent.glob("*.partial")) == []


def test_the_commit_and_what_is_not_in_it(project):
    record(*RAN)
    assert read_record().commit is None
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    (project / ".gitignore").write_text("/.smallset/\n")
    for command in (["add", "--all"], [*author, "commit", "--quiet", "--message", "x"]):
        subprocess.run(["git", *command], check=True)
    record(*RAN)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert (read_record().commit, read_record().changed) == (head, [])
    (project / "source").write_text("2")
    (project / "näw file").touch()
    record(*RAN)
    assert read_record().changed == ["näw file", "source"]


def test_up_to_date_and_restored_stages_keep_the_time_of_their_last_run(project):
    record(*RAN)
    ran = stages()["train"]
    record(StageResult("train", Outcome.RESTORED, 1.2), FRESH[1])
    restored = stages()["train"]
    assert (restored.outcome, restored.seconds) == ("restored", 1.2)
    assert (restored.ended, restored.took) == (ran.ended, 71.0)
    record(*FRESH)
    assert (stages()["train"].seconds, stages()["train"].took) == (None, 71.0)


def test_a_run_that_nobody_recorded_has_no_time(project, dvc):
    record(*RAN)
    (project / "source").write_text("2")
    dvc("repro")
    assert remade_since(read_record()) == {"train", "report"}
    record(*FRESH)
    assert (stages()["train"].outcome, stages()["train"].took, stages()["train"].ended) == ("up to date", None, None)
    assert remade_since(read_record()) == set()


def test_what_ended_before_an_interruption_is_recorded(project):
    with pytest.raises(KeyboardInterrupt), recorded(["train", "report"], FLOW_RUN) as take:
        take(RAN[0])
        raise KeyboardInterrupt
    assert [(stage.outcome, stage.took) for stage in stages().values()] == [("ran", 71.0), ("not run", None)]
    record(*FRESH)
    assert [stage.took for stage in stages().values()] == [71.0, None]


def test_a_failed_stage_does_not_lose_the_time_of_what_is_still_there(project):
    record(*RAN)
    record(StageResult("train", Outcome.FAILED, 3.0, "no network"))
    assert stages()["train"].outcome == "failed"
    record(*FRESH)
    assert stages()["train"].took == 71.0


def test_the_page_names_the_run_in_place_of_the_marker(project):
    record(*RAN)
    before = REPORT.read_text()
    write_page()
    assert REPORT.read_text() == before
    page = RUN_REPORT.read_text()
    assert SLOT not in page
    assert page.startswith("<p>\n")
    assert page.endswith("1</p>\n")
    assert "fine &lt;owl&gt; (0123)" in page
    text = text_of()
    assert re.search(r"train ran 1 min 11 s \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text)
    assert "report ran 2.0 s" in text
    assert "keras-hub" in text
    assert [file.name for file in RUN_REPORT.parent.iterdir() if "partial" in file.name] == []


def test_the_page_claims_no_run_where_there_is_no_record(project):
    write_page()
    text = text_of()
    assert "made by dvc repro alone, in a run of which nothing is known. This page was written 2" in text
    assert "UTC, here:" in text
    assert "train" not in text
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text('{"stages": [{"name": "of an earlier Smallset"}]}')
    write_page()
    assert "nothing is known" in text_of()


def test_the_page_claims_no_time_for_what_dvc_made_since(project, dvc):
    record(*RAN)
    (project / "source").write_text("2")
    dvc("repro", "--single-item", "train")
    write_page()
    assert "DVC alone has made or fetched other results of train; of their run nothing is known" in text_of()
    assert "train ran; other results since report ran 2.0 s" in text_of()


def test_the_page_of_a_failed_run_says_so(project):
    record(StageResult("train", Outcome.FAILED, 3.0, "no network"))
    write_page()
    assert (
        "The last run did not come to an end: train failed, report not run. This page shows what an earlier"
        in text_of()
    )


def test_what_is_no_report_is_one_line(project, tmp_path):
    with pytest.raises(FlowError, match=r"--output: report/report\.html is DVC's own"):
        write_page(REPORT)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FlowError, match=r"--output: .*folder cannot be written: Is a directory"):
        write_page(tmp_path / "folder")
    write_page(tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").is_file()
    REPORT.write_text("<html>")
    with pytest.raises(FlowError, match="expected a place for the run, found none"):
        write_page()
    REPORT.unlink()
    with pytest.raises(FlowError, match=r"^report/report\.html: not found; run `smallset run` first$"):
        write_page()


def test_no_page_of_an_earlier_run_stays_beside_a_report_without_a_place_for_it(project):
    record(*RAN)
    renew_page()
    assert RUN_REPORT.is_file()
    REPORT.write_text("<html>")
    # The first page of this very run is all that one has whose report could not be made.
    renew_page(is_first=True)
    assert RUN_REPORT.is_file()
    renew_page()
    assert not RUN_REPORT.exists()

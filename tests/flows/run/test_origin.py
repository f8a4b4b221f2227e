"""Results of an earlier run, or of somebody else, are never shown as those of now."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.execution.process_output import Outcome, StageResult, done
from flows.project.graph import read_stages, up_to_date
from flows.project.records import SCHEMA
from flows.registry import run_record
from flows.registry.saved_runs import Workspace
from flows.run import results
from flows.run.origin import describe
from flows.run.results import read_results
from flows.run.run_page import SLOT

SMALLSET = [sys.executable, "-m", "flows.cli"]
FIGURES, SUMMARY = "evaluation/x/figures.json", "report/summary.json"
STAGES = {
    # Fails for images that are called "broken".
    "download": {
        "cmd": "mkdir -p data && python get.py",
        "params": ["download", "common.seed"],
        "deps": ["get.py"],
        "outs": ["data/raw.zip"],
    },
    "evaluate": {
        "cmd": f"mkdir -p evaluation/x && python score.py {FIGURES}",
        "deps": ["data/raw.zip", "score.py"],
        "outs": [{FIGURES: {"cache": False}}],
    },
    "report": {
        "cmd": f"mkdir -p report && python score.py {SUMMARY} && echo '{SLOT}' > report/report.html",
        "deps": [FIGURES],
        "outs": ["report/report.html", {SUMMARY: {"cache": False}}],
    },
    "classifier": {
        "cmd": f"mkdir -p models && cp {SUMMARY} models/classifier",
        "deps": [SUMMARY],
        "outs": ["models/classifier"],
    },
}
GET = """
import sys, yaml
path = yaml.safe_load(open("params.yaml"))["download"]["path"]
if path == "broken":
    sys.exit("error: no such images")
open("data/raw.zip", "w").write(path)
"""
SCORE = """
import json, sys
figures = {"accuracy": 0.875, "accuracy_low": 0.8, "accuracy_high": 0.9}
figures |= {"recommended": "x", "verdict": "the best of one"}
json.dump(figures, open(sys.argv[1], "w"))
"""
HEADLINE = "use x: 87.5 % (80.0 to 90.0 %) of the test images. the best of one"


def smallset(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run([*SMALLSET, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


def set_path(path: str) -> None:
    Path(path).mkdir(exist_ok=True)
    (Path(path) / "1.jpg").touch()
    Path("params.yaml").write_text(
        yaml.safe_dump({"common": {"seed": 1}, "download": {"path": path, "source": "folder"}})
    )


@pytest.fixture
def project(make, dvc):
    """A project whose results are made, and committed."""
    folder = make(STAGES)
    (folder / "get.py").write_text(GET)
    (folder / "score.py").write_text(SCORE)
    (folder / ".gitignore").write_text("/.smallset/\n/.dvc/cache\n/.dvc/tmp\n/data/\n/models/\n/report/*.html\n")
    set_path("images")
    dvc("repro", "--quiet")
    for command in (
        ["checkout", "--quiet", "-B", "main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "Results"],
    ):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *command], check=True)
    return folder


def test_results_of_now_are_shown_as_such(project):
    stages = read_stages()
    found, older = read_results(up_to_date(stages))
    assert [model["accuracy"] for model in found.models] == [0.875]
    assert found.report == results.REPORT
    assert not older
    output = smallset("status")[1]
    assert "earlier run" not in output
    assert output.splitlines()[-1] == HEADLINE


def test_status_says_whose_results_of_an_earlier_run_are(project):
    set_path("birds [new]")
    output = smallset("status")[1]
    [line] = [line for line in output.splitlines() if "earlier run" in line]
    assert re.fullmatch(
        r"Results of an earlier run \(committed as \w+ on \d{4}-\d\d-\d\d, download\.path images, "
        r"download\.source folder\), not of what is here now\. "
        r"Changed since: download\.path images -> birds \[new\]\.",
        line,
    )
    assert smallset("report", "--output", "mine.html")[1].splitlines()[-1] == line
    # The table and the verdict come below that line.
    assert output.index(line) < output.index("0.875") < output.index(f"then: {HEADLINE}")
    assert HEADLINE not in output.splitlines()


def test_a_fresh_clone_has_the_results_of_who_committed_them(project, tmp_path, monkeypatch):
    subprocess.run(["git", "clone", "--quiet", str(project), str(tmp_path / "clone")], check=True)
    monkeypatch.chdir(tmp_path / "clone")
    output = smallset("status")[1]
    assert "Results of an earlier run (committed as " in output
    # Nothing has changed there, which would be a reason to run: files are missing, which a pull may bring.
    assert "Changed since" not in output
    assert re.search(r"Not here: data/raw\.zip, .*models/classifier", output)
    assert HEADLINE not in output.splitlines()


def test_parameters_of_a_stage_that_is_no_more_have_not_changed(project):
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    lock["stages"]["gone"] = {"cmd": "true", "params": {"params.yaml": {"gone.enabled": True}}}
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    set_path("other")
    assert "gone" not in describe(read_stages())


def test_a_parameter_that_is_gone_has_changed_and_is_no_file(project):
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump({"download": parameters["download"]}))
    found = describe(read_stages())
    assert found.endswith("Changed since: common.seed 1 -> none.")
    Path("params.yaml").write_text(yaml.safe_dump({"common": parameters["common"]}))
    assert "Not here" not in describe(read_stages())


def test_only_the_stale_part_is_of_an_earlier_run(project):
    # The report is edited, the evaluation still holds.
    (project / SUMMARY).write_text("{}")
    found, older = read_results(up_to_date(read_stages()))
    assert [model["model"] for model in found.models] == ["x"]
    assert (found.summary, found.report, list(older.models)) == ({}, None, [])


def test_results_are_of_their_own_images_also_where_another_run_has_begun(project, dvc):
    set_path("other")
    dvc("repro", "--quiet", "download")
    # dvc.lock has the new images for the first stage, and what the old ones came to for all others.
    found = describe(read_stages())
    assert re.match(r"Results of an earlier run \(committed as \w+ on [\d-]+, download\.path images, ", found)
    assert "download.path images -> other" in found
    dvc("repro", "--quiet")
    set_path("third")
    dvc("repro", "--quiet", "download")
    assert describe(read_stages()).startswith("Results of an earlier run (not committed), not of what is here now.")


def test_results_are_of_their_own_images_also_where_the_run_that_has_begun_was_given_up(project, dvc):
    set_path("other")
    dvc("repro", "--quiet", "download")
    set_path("third")
    found = describe(read_stages())
    assert re.match(r"Results of an earlier run \(committed as \w+ on [\d-]+, download\.path images, ", found)
    assert "download.path images -> third" in found
    # Of results that are not committed either nothing is said but that: the images in dvc.lock are not theirs.
    set_path("fourth")
    dvc("repro", "--quiet")
    set_path("fifth")
    dvc("repro", "--quiet", "download")
    set_path("sixth")
    assert "fifth" not in describe(read_stages())


def test_a_run_that_is_not_committed_is_known_by_its_end(project, prefect_server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    set_path("other")
    assert smallset("run")[0] == 0
    set_path("third")
    found = describe(read_stages())
    assert re.match(r"Results of an earlier run \(made until 20\d\d-\S+, download\.path other, ", found)
    assert "download.path other -> third" in found
    # One that has failed since has made none of it.
    set_path("broken")
    assert smallset("run")[0] == 1
    assert describe(read_stages()).split(",")[0] == found.split(",")[0]


def test_a_failed_run_shows_and_saves_nothing_of_the_run_before(project, prefect_server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    assert smallset("run", "--save")[0] == 0
    set_path("broken")
    code, output = smallset("run", "--save")
    assert code == 1
    assert output.splitlines()[-2] == "error: download: no such images"
    assert "0.875" not in output
    assert "use x" not in output
    assert "\nreport: " not in output
    assert "results of earlier runs are still here and not shown" in output
    latest, before = json.loads(smallset("history", "--json")[1])
    assert (latest["outcome"], latest["recommended"], latest["measured"], latest["images"]) == (
        "failed",
        "",
        None,
        {},
    )
    assert before["measured"] == [0.875, 0.8, 0.9]
    record = json.loads(subprocess.check_output(["git", "show", "runs/main:run.json"]))
    assert (record["summary"], record["classifier"], record["data"]["archive"]) == (None, None, None)
    page = Path("report/run.html").read_text()
    assert re.search(r"what an earlier run left(, made \S+ \S+ UTC)?: it is not of that run's images", page)
    # Such a run has no classifier of its own to be put into use.
    assert "a failed run" in smallset("promote")[1]


@pytest.mark.parametrize("ended", [Outcome.FAILED, Outcome.STOPPED, Outcome.NOT_RUN])
def test_what_a_run_did_not_come_to_is_neither_recorded_nor_published(project, ended, monkeypatch):
    import prefect.artifacts

    shown = []
    for name in ("create_table_artifact", "create_markdown_artifact", "create_link_artifact"):
        monkeypatch.setattr(prefect.artifacts, name, lambda *_, key, **__: shown.append(key))
    good = [StageResult(name, Outcome.RAN) for name in ("download", "evaluate")]
    outcome = [*good, StageResult("report", ended), StageResult("classifier", Outcome.NOT_RUN)]
    results.show_as_artifacts(done(outcome))
    assert shown == ["metrics"]
    results.show_as_artifacts(done([StageResult(name, Outcome.UP_TO_DATE) for name in STAGES]))
    assert shown == ["metrics", "metrics", "results", "report"]
    if ended is not Outcome.NOT_RUN:
        record = run_record.compose(Workspace(Path(), "main"), outcome)
        assert record["schema"] == SCHEMA
        assert record["data"]["archive"]
        assert (record["summary"], record["classifier"]) == (None, None)

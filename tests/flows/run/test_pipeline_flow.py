"""`flows.run.pipeline`: the flow with the real Prefect, on toy projects."""

import json
import shutil
import time

import pytest
import yaml

from flows.errors import FlowError
from flows.execution.watching import Watcher, watched_by

pytestmark = pytest.mark.usefixtures("prefect_server")
EVALUATED = {
    "download": {"cmd": "cp source raw", "deps": ["source"], "outs": ["raw"]},
    "train": {"foreach": ["x", "y"], "do": {"cmd": "cp raw m_${item}", "deps": ["raw"], "outs": ["m_${item}"]}},
    "evaluate": {
        "foreach": ["x", "y"],
        "do": {
            "cmd": "mkdir -p evaluation/${item} && cp m_${item} evaluation/${item}/figures.json",
            "deps": ["m_${item}"],
            "outs": [{"evaluation/${item}/figures.json": {"cache": False}}],
        },
    },
    "report": {
        "cmd": "mkdir -p report && echo '<div id=\"run\"></div>' > report/report.html",
        "deps": ["m_x", "m_y"],
        "outs": ["report/report.html"],
    },
}


class Watching(Watcher):
    """Notes what is planned and what begins."""

    def __init__(self) -> None:
        self.told: list = []

    def planned(self, names, fresh, seconds) -> None:
        self.told.append(list(names))

    def started(self, name) -> None:
        self.told.append(name)


def run(width: int = 1, only: list[str] | None = None) -> dict[str, str]:
    from flows.run.pipeline import run_pipeline

    return {result.name: str(result.outcome) for result in run_pipeline(width, only=only)}


def state_of(width: int = 1):
    from flows.run.pipeline import pipeline

    return pipeline(width=width, return_state=True)


def read(what: str, **filters):
    """What the server knows."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return getattr(client, what)(**filters)


def task_states(state) -> dict[str, str]:
    from prefect.client.schemas.filters import FlowRunFilter

    wanted = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})
    deadline = time.monotonic() + 20
    while True:
        # Prefect's client sends the states of tasks in the background.
        runs = read("read_task_runs", flow_run_filter=wanted)
        if all(run.state and (run.state.is_final() or run.state.name == "NotReady") for run in runs) and runs:
            return {run.name: run.state.name for run in runs}
        assert time.monotonic() < deadline, runs
        time.sleep(0.3)


def test_a_flow_runs_then_has_nothing_to_do_then_restores(make, dvc):
    from prefect.client.schemas.filters import ArtifactFilter

    project = make(EVALUATED)
    (project / "source").write_text('{"accuracy": 0.5}')
    assert set(run().values()) == {"ran"}
    names = ["download", "train@x", "train@y", "evaluate@x", "evaluate@y", "report"]
    again = state_of()
    assert task_states(again) == dict.fromkeys(names, "UpToDate")
    assert "up to date" in dvc("status")

    (project / "m_x").unlink()
    assert task_states(state_of())["train@x"] == "Restored"

    wanted = ArtifactFilter(flow_run_id={"any_": [again.state_details.flow_run_id]})
    artifacts = {artifact.key: artifact.data for artifact in read("read_artifacts", artifact_filter=wanted)}
    assert '"accuracy": 0.5' in str(artifacts["metrics"])
    assert (project / "report" / "run.html").resolve().as_uri() in artifacts["report"]


LOOK = """
import json, sys
from pathlib import Path
assert "--only-preset" in sys.argv
found = {"images": None, "preset": None, "no_preset": "backbone.preset: presets/x: no such directory"}
Path(sys.argv[sys.argv.index("--output") + 1]).write_text(json.dumps(found))
"""


def test_a_backbone_that_cannot_be_had_is_told_before_any_stage_works(make):
    project = make(
        {"split": {"cmd": "touch split", "outs": ["split"]}, "backbone": {"cmd": "exit 1", "deps": ["split"]}}
    )
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "look.py").write_text(LOOK)
    (project / "params.yaml").write_text("{}\n")
    with pytest.raises(FlowError, match=r"^backbone\.preset: presets/x: no such directory$"):
        run()
    assert not (project / "split").exists()
    # A run that is not about it needs none.
    assert run(only=["split"]) == {"split": "ran"}


def test_workers_look_for_a_backbone_themselves(make, monkeypatch):
    """Theirs may have been fetched long ago, and this machine may reach no site."""
    from flows.run import pipeline

    project = make({"backbone": {"cmd": "exit 1"}})
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "look.py").write_text(LOOK)
    (project / "params.yaml").write_text("{}\n")
    for name in ("require_server", "run_flow", "_run"):
        monkeypatch.setattr(pipeline, name, lambda *_: ["begun"])
    assert pipeline.run_pipeline(None, workers="tcp://localhost:1") == ["begun"]
    assert pipeline.pipeline.fn(workers="tcp://localhost:1") == ["begun"]


def test_a_backbone_of_the_last_run_needs_no_preset(make):
    """As on a server that has DVC's cache, and not the folder that somebody's preset came from."""
    project = make(
        {
            "split": {"cmd": "python -m stages.split", "deps": ["images"], "outs": ["split"]},
            "backbone": {"cmd": "echo backbone > backbone", "deps": ["split"], "outs": ["backbone"]},
        }
    )
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "split.py").write_text("open('split', 'w').write('the same')")
    (project / "params.yaml").write_text("{}\n")
    (project / "images").write_text("some")
    assert run() == {"split": "ran", "backbone": "ran"}
    (project / "stages" / "look.py").write_text(LOOK)
    (project / "images").write_text("more")
    assert run() == {"split": "ran", "backbone": "up to date"}
    (project / "backbone").unlink()
    assert run()["backbone"] == "restored"
    assert (project / "backbone").exists()
    (project / "backbone").unlink()
    shutil.rmtree(project / ".dvc" / "cache")
    with pytest.raises(FlowError, match=r"^backbone\.preset: presets/x"):
        run()


def test_models_that_are_turned_off_share_a_process_and_dvc_finds_them_up_to_date(make, dvc, monkeypatch):
    from flows.execution import process

    project = make(EVALUATED)
    (project / "source").write_text("{}")
    (project / "params.yaml").write_text("x: {enabled: false}\ny: {enabled: false}\n")
    started: list[list[str]] = []
    start = process._start
    monkeypatch.setattr(process, "_start", lambda words, *rest: started.append(words) or start(words, *rest))
    watching = Watching()
    with watched_by(watching):
        assert set(run(width=2).values()) == {"ran"}
    assert watching.told == [["download", "report"], "download", "report"], "nobody is told of what does nothing"
    repro = ["repro", "--single-item"]
    shared = ["train@x", "train@y", "evaluate@x", "evaluate@y"]
    assert sorted(started, key=len) == [[*repro, "download"], [*repro, "report"], [*repro, *shared]]
    assert "up to date" in dvc("status")
    assert set(run().values()) == {"up to date"}


def test_a_run_of_a_few_stages_leaves_the_others_as_they_are(make):
    from flows.run.provenance import read_record

    project = make(EVALUATED)
    (project / "source").write_text('{"accuracy": 0.5}')
    few = ["download", "train@x", "evaluate@x"]
    assert run(only=few) == dict.fromkeys(few, "ran")
    assert not (project / "m_y").exists()
    assert run(only=few) == dict.fromkeys(few, "up to date")
    # What the others took in other runs is not forgotten.
    record = {stage.name: stage.outcome for stage in read_record().stages}
    assert record == dict.fromkeys(few, "up to date") | dict.fromkeys(["train@y", "evaluate@y", "report"], "not run")
    assert run() == dict.fromkeys(few, "up to date") | dict.fromkeys(["train@y", "evaluate@y", "report"], "ran")


def test_a_flow_records_itself_and_shows_its_verdict(make):
    from prefect.client.schemas.filters import ArtifactFilter

    from flows.run.provenance import read_record

    # The report leaves a summary and comparisons too.
    more = {name: f"report/{name}" for name in ("summary.json", "comparisons.csv")}
    report = EVALUATED["report"]
    copied = "".join(f" && cp {name} {path}" for name, path in more.items())
    outs = [*report["outs"], *({path: {"cache": False}} for path in more.values())]
    project = make(EVALUATED | {"report": report | {"cmd": report["cmd"] + copied, "outs": outs}})
    (project / "source").write_text('{"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6}')
    summary = {"recommended": "x", "accuracy": 0.5, "images": 90, "verdict": "x and <y> are the same"}
    summary |= {"why": "It is cheap.", "cautions": ["Only <90> images."]}
    (project / "summary.json").write_text(json.dumps(summary))
    (project / "comparisons.csv").write_text("one,other,verdict\nx,y,no difference shown\n")
    state = state_of()
    wanted = ArtifactFilter(flow_run_id={"any_": [state.state_details.flow_run_id]})
    [shown] = [
        artifact.data for artifact in read("read_artifacts", artifact_filter=wanted) if artifact.key == "results"
    ]
    assert shown.startswith("## use x: 50.0 % of 90 test images\n\nx and &lt;y&gt; are the same\n\nIt is cheap.\n\n")
    assert "\n**Before you rely on it**\n\n- Only &lt;90&gt; images.\n\n| model |" in shown
    assert "| y | 50.0 % | 40.0 to 60.0 % | no difference shown |" in shown
    assert (project / "report" / "run.html").resolve().as_uri() in shown

    record = read_record()
    assert record.flow_run["id"] == str(state.state_details.flow_run_id)
    assert record.flow_run["name"] in (project / "report" / "run.html").read_text()
    assert [stage.outcome for stage in record.stages] == ["ran"] * 6
    assert all(stage.took > 0 and stage.ended >= record.started for stage in record.stages)
    run()
    again = read_record()
    assert [(stage.outcome, stage.took) for stage in again.stages] == [
        ("up to date", stage.took) for stage in record.stages
    ]


def test_a_failed_stage_stops_what_depends_on_it_and_nothing_else(make):
    from flows.run.provenance import read_record

    make(
        {
            "bad": {"cmd": "echo 'error: no [images]' >&2; exit 1", "outs": ["b"]},
            "after": {"cmd": "cp b c", "deps": ["b"], "outs": ["c"]},
            "unrelated": {"cmd": "echo 1 > u", "outs": ["u"]},
        }
    )
    state = state_of()
    assert state.is_failed()
    assert task_states(state) == {"bad": "Failed", "after": "NotReady", "unrelated": "Completed"}
    with pytest.raises(Exception, match=r"bad: no \[images\]"):
        state.result()
    assert run() == {"bad": "failed", "after": "not run", "unrelated": "up to date"}
    assert {stage.name: stage.outcome for stage in read_record().stages} == {
        "bad": "failed",
        "after": "not run",
        "unrelated": "up to date",
    }


def test_two_stages_run_side_by_side_where_two_may(make, dvc):
    project = make({name: {"cmd": f"python {name}.py", "outs": [name]} for name in "abc"})
    for name in "abc":
        sleep = f"import time; s = time.time(); time.sleep(1.5); print(s, time.time(), file=open('{name}', 'w'))"
        (project / f"{name}.py").write_text(sleep)
    assert run(width=2) == dict.fromkeys("abc", "ran")
    spans = sorted(tuple(map(float, (project / name).read_text().split())) for name in "abc")
    assert spans[1][0] < spans[0][1]
    assert spans[2][0] > min(spans[0][1], spans[1][1])
    assert set(yaml.safe_load((project / "dvc.lock").read_text())["stages"]) == set("abc")
    assert "up to date" in dvc("status")


def test_nothing_takes_a_core_from_the_first_answer(make):
    clock = "python -c 'import time; time.sleep(0.5); print(time.time())' > ${item}"
    measure = "mkdir -p evaluation/m && cp first evaluation/m/figures.json"
    make(
        {
            "slow": {"foreach": ["b", "c"], "do": {"cmd": clock, "outs": ["${item}"]}},
            "first": {"cmd": clock.replace("${item}", "first"), "outs": ["first"]},
            "evaluate": {"cmd": measure, "deps": ["first"], "outs": ["evaluation/m/figures.json"]},
        }
    )
    from flows.run.provenance import read_record

    assert set(run(width=2).values()) == {"ran"}
    ended = {stage.name: stage.ended for stage in read_record().stages}
    assert max(ended["first"], ended["evaluate"]) < min(ended["slow@b"], ended["slow@c"])


def test_only_the_download_is_tried_again(make, monkeypatch):
    from flows.execution import stage_task

    monkeypatch.setattr(stage_task, "RETRIES", {"download": (0.1, 0.1)})
    count = "echo x >> {0}.log; test $(wc -l < {0}.log) -ge 3 && touch {0}"
    project = make({name: {"cmd": count.replace("{0}", name), "outs": [name]} for name in ("download", "split")})
    assert run() == {"download": "ran", "split": "failed"}
    assert (project / "download.log").read_text() == "x\n" * 3
    assert (project / "split.log").read_text() == "x\n"


def test_a_users_mistake_is_not_tried_again(make, monkeypatch):
    from flows.execution import stage_task

    monkeypatch.setattr(stage_task, "RETRIES", {"download": (0.1, 0.1)})
    project = make({"download": {"cmd": "echo x >> log; echo 'error: no such folder'; exit 1", "outs": ["a"]}})
    assert run() == {"download": "failed"}
    assert (project / "log").read_text() == "x\n"


def test_the_lines_of_a_stage_are_in_its_log_once(make):
    from prefect.client.schemas.filters import LogFilter

    make({"a": {"cmd": "echo 'a line [1/2]'; echo 1 > a", "outs": ["a"]}})
    state = state_of()
    wanted = LogFilter(flow_run_id={"any_": [state.state_details.flow_run_id]})
    deadline = time.monotonic() + 20
    while not (found := [log for log in read("read_logs", log_filter=wanted) if log.message == "a line [1/2]"]):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert len(found) == 1
    assert found[0].task_run_id


def test_a_workspace_in_use_is_told_before_anything_runs(make):
    from flows.project.workspace import exclusive

    make({"a": {"cmd": "echo 1 > a", "outs": ["a"]}})
    with exclusive(), pytest.raises(FlowError, match="another run is at work here"):
        run()

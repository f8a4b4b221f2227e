"""`flows.execution.server`: Prefect's own server ends with its run, however that ends."""

import os
import subprocess
import sys

import pytest

from flows.execution import server


def test_the_server_of_a_killed_run_is_ended_by_the_next_and_no_other(prefect_server):
    # Of a run that is gone; of this one, which is at work.
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    starters = (gone.stdout.decode().strip(), str(os.getpid()))
    servers = [subprocess.Popen(["sleep", "60"], env=os.environ | {server._STARTER: one}) for one in starters]
    try:
        server.start_server()
        assert servers[0].wait(timeout=10) == -9
        assert servers[1].poll() is None
        assert server._STARTER not in os.environ
    finally:
        for process in servers:
            process.kill()
            process.wait()


def test_a_server_of_a_run_in_a_container_is_left_alone(prefect_server, monkeypatch):
    """Its starter has another number there."""
    environment = {server._STARTER: "1"}
    monkeypatch.setattr(server, "is_counted_here", lambda process: process.environ() != environment)
    inside = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        server.start_server()
        assert inside.poll() is None
    finally:
        inside.kill()
        inside.wait()


def test_a_run_that_has_nothing_to_do_starts_none_and_is_recorded(make, dvc, monkeypatch):
    from flows.run import pipeline
    from flows.run.provenance import read_record

    make({"a": {"cmd": "echo 1 > a", "outs": ["a"]}})
    dvc("repro", "--quiet")
    monkeypatch.setattr(pipeline, "has_server", lambda: False)
    monkeypatch.setattr(pipeline, "start_server", lambda: pytest.fail("a server"))
    [result] = pipeline.run_pipeline(1)
    assert (result.name, str(result.outcome)) == ("a", "up to date")
    assert [stage.outcome for stage in read_record().stages] == ["up to date"]


def test_a_server_that_is_there_is_told_of_every_run(make, dvc, prefect_server):
    from flows.run.pipeline import run_pipeline
    from flows.run.provenance import read_record

    make({"a": {"cmd": "echo 1 > a", "outs": ["a"]}})
    dvc("repro", "--quiet")
    run_pipeline(1)
    assert read_record().flow_run["name"]

"""The server that a run starts: how long it lives, and how another process or a web page here reaches it."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

# A run that has started its server, made a deployment of it as `schedule` does, and run a flow that logs.
RUN = """
import json, os
from pathlib import Path
from prefect import flow, get_run_logger
from prefect.settings import PREFECT_API_AUTH_STRING
from flows.execution.server import start_server
from flows.retraining.hours import read_schedule
from flows.retraining.schedule import deployment
from flows.project.workspace import alone

with alone(Path(os.environ["PREFECT_HOME"])):
    start_server()

@flow
def told():
    get_run_logger().info("hello")

told()
made = deployment("git@host:birds.git", "main", read_schedule("0 3 * * 1", None, "UTC"), {})
from prefect.server.api.server import SubprocessASGIServer
known = [name for name in os.environ if name.endswith("AUTH_STRING")]
password = PREFECT_API_AUTH_STRING.value()
print(json.dumps([SubprocessASGIServer().api_url, str(made.apply()), password, known]), flush=True)
input()
told()
"""
# The next run in the same folder.
NEXT = """
import sys
from pathlib import Path
from flows.project.workspace import alone

with alone(Path(sys.argv[1])):
    pass
"""


@pytest.fixture(scope="module")
def run(homes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list]:
    """Address, deployment and password of a run's server, variables that its stages would see, and its folder.

    The run logs with its last breath: at the end of its process the server still takes that.
    """
    home = tmp_path_factory.mktemp("home")
    with (home / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PREFECT_HOME": str(home), "PREFECT_SERVER_API_AUTH_STRING": "of:before"},
        )
        line = process.stdout.readline()
        try:
            assert line.startswith("["), (home / "log").read_text()
            yield [*json.loads(line), home]
        finally:
            process.communicate("\n", timeout=60)
        assert process.returncode == 0
        assert "401" not in (home / "log").read_text()
        with closing(sqlite3.connect(home / "prefect.db")) as kept:
            assert kept.execute("SELECT COUNT(*) FROM log WHERE message = 'hello'").fetchone() == (2,)


def post(run: list, what: dict, **options) -> httpx.Response:
    """Ask for a run, again while the server's database is busy, as Prefect's own client does."""
    address, deployment, *_ = run
    deadline = time.monotonic() + 120
    while True:
        answer = httpx.post(
            f"{address}/deployments/{deployment}/create_flow_run", json=what, timeout=60, trust_env=False, **options
        )
        if answer.status_code != 503 or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


def test_it_outlives_the_lock_of_its_workspace_and_the_next_run_there(run):
    """That run begins while this process still shows its results; without its server it would wait for a minute."""
    subprocess.run([sys.executable, "-c", NEXT, str(run[4])], check=True)
    assert httpx.get(f"{run[0]}/health", timeout=60, trust_env=False).status_code == 200


def test_nobody_without_the_password_creates_a_run(run):
    for headers in ({}, {"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Authorization": "Basic eDp5"}):
        assert post(run, {"parameters": {}}, headers=headers).status_code == 401
    assert httpx.post(f"{run[0]}/flows/filter", json={}, timeout=60, trust_env=False).status_code == 401


def test_no_web_page_may_read_its_answers(run):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{run[0]}/flows/filter", headers=asked, timeout=60, trust_env=False)
    assert "access-control-allow-origin" not in answer.headers


def test_not_even_with_the_password_another_repository_is_named(run):
    password = tuple(run[2].split(":"))
    assert post(run, {"parameters": {}}, auth=password).status_code == 201
    for name, value in (("repository", "https://evil.example/x.git"), ("checkout", "/srv"), ("workers", "tcp://x")):
        answer = post(run, {"parameters": {name: value}}, auth=password)
        assert (answer.status_code, name in answer.text) == (409, True)


def test_the_variables_are_as_they_were_and_hold_no_password(run):
    assert run[3] == ["PREFECT_SERVER_API_AUTH_STRING"]
    assert run[2].startswith("run:")
    assert len(run[2]) > 40

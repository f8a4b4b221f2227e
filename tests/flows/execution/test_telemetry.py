"""`flows.execution.telemetry`: no tool tells its makers anything, nor does the server that the docs start."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests
import yaml

from flows.execution.telemetry import SILENT
from flows.operating import schedule

ROOT = Path(__file__).resolve().parents[3]
_SETTINGS = """
import json, flows
from dvc.analytics import is_enabled
from huggingface_hub import constants
from prefect._internal.analytics.enabled import is_telemetry_enabled
from prefect.settings import PREFECT_SERVER_ANALYTICS_ENABLED
print(json.dumps({
    "dvc": is_enabled(),
    "prefect": is_telemetry_enabled(),
    "server": PREFECT_SERVER_ANALYTICS_ENABLED.value(),
    "hub": not constants.HF_HUB_DISABLE_TELEMETRY,
}))
"""


@contextmanager
def sink() -> Iterator[tuple[str, list[str]]]:
    """A proxy that lets nothing out: its address, and the hosts that were asked for."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                first = connection.recv(4096).split(b"\r\n")[0].decode(errors="replace")
                asked.append(first.split(" ")[1] if " " in first else first)
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.close()


def through(proxy: str) -> dict[str, str]:
    """The environment of a process that reaches the world through a proxy only, and has no say of ours."""
    kept = {name: value for name, value in os.environ.items() if name not in SILENT and name != "CI"}
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    return kept | dict.fromkeys(names, proxy) | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def test_every_tool_is_told_to_be_silent():
    environment = {name: value for name, value in os.environ.items() if name not in SILENT}
    done = subprocess.run(
        [sys.executable, "-c", _SETTINGS], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == dict.fromkeys(("dvc", "prefect", "server", "hub"), False)


def test_the_temporary_server_reports_that_it_is_silent(prefect_server):
    assert requests.get(f"{prefect_server}/admin/settings", timeout=30).json()["server"]["analytics_enabled"] is False
    # And `smallset doctor` sees that; nobody has deployed anything of this repository there.
    assert {one.name: one.state for one in schedule._server()} == {
        "Prefect server": "ok",
        "telemetry": "ok",
        "schedule": "warning",
    }
    assert [one.state for one in schedule._told({"server": {"analytics_enabled": True}})] == ["warning"]


def test_dvc_by_itself_is_silent_in_this_project():
    config = (ROOT / ".dvc" / "config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config


def test_every_documented_server_is_started_silent():
    blocks = []
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        blocks += re.findall(r"^```[a-z]*\n(.*?)^```", file.read_text(), re.DOTALL | re.MULTILINE)
    started = [block for block in blocks if "prefect server start" in block]
    assert len(started) >= 2
    for block in started:
        assert "PREFECT_SERVER_ANALYTICS_ENABLED=false" in block.partition("prefect server start")[0]


@pytest.mark.slow
@pytest.mark.parametrize("is_silent", [True, False])
def test_a_server_sends_nothing_where_the_docs_are_followed_and_else_does(tmp_path, is_silent):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with sink() as (proxy, asked):
        environment = through(proxy) | {"PREFECT_HOME": str(tmp_path)}
        environment |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"} if is_silent else {}
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-ui"]
        with psutil.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline and not asked:
                    time.sleep(0.5)
                    # Once it answers, what it says at its start has been said soon.
                    if is_silent and _answers(port):
                        deadline = min(deadline, time.monotonic() + 15)
                assert _answers(port)
            finally:
                server.terminate()
    assert asked == [] if is_silent else "sens-o-matic.prefect.io:443" in asked


@pytest.mark.slow
def test_a_run_and_dvc_by_itself_ask_nobody(project, tmp_path):
    config = yaml.safe_dump({})
    (project / "profiles").mkdir()
    (project / "profiles" / "default.yaml").write_text(config)
    with sink() as (proxy, asked):
        environment = through(proxy) | {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path / "home")}
        environment.pop("PREFECT_API_URL", None)
        for command in (["flows.cli", "run", "--save"], ["flows.cli", "dvc", "status"], ["dvc", "status"]):
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=project,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout
        time.sleep(5)
    assert asked == []


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/api/health", timeout=2).ok
    except requests.RequestException:
        return False

"""`flows.retraining.schedule`: the deployment, and what a person has got wrong."""

import os
import socket
import sys
from datetime import timedelta

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.errors import FlowError
from flows.retraining import pins
from flows.retraining import schedule as serve


def test_a_deployment_has_its_schedule_its_parameters_and_nothing_that_could_stop_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = serve.deployment(".", "main", "0 3 * * 1", None, {"width": 2, "profile": None})
    assert (made.flow_name, made.name) == ("smallset-retrain", "main")
    assert [schedule.schedule.cron for schedule in made.schedules] == ["0 3 * * 1"]
    places = {"repository": str(tmp_path), "branch": "main", "checkout": None, "workers": None}
    assert made.parameters == places | {"width": 2}
    assert {name for name, one in made._parameter_openapi_schema.properties.items() if "readOnly" in one} == set(places)
    assert made.concurrency_limit is None
    assert {"profile", "overrides"} <= set(made._parameter_openapi_schema.properties)
    every = serve.deployment("git@host:birds.git", "main", None, 90.0, {})
    assert [schedule.schedule.interval for schedule in every.schedules] == [timedelta(seconds=90)]
    assert every.parameters["repository"] == "git@host:birds.git"


@pytest.mark.parametrize("cron", ["nonsense", "0 25 * * *", ""])
def test_a_schedule_that_is_none_is_one_line(cron):
    with pytest.raises(FlowError) as found:
        serve.deployment(".", "main", cron, None, {})
    assert str(found.value) == f"--cron: expected minute, hour, day, month and weekday. Received: {cron!r}"


def test_no_server_is_one_line():
    with temporary_settings({PREFECT_API_URL: None}), pytest.raises(FlowError, match="needs a Prefect server"):
        serve.serve(".", "main", "0 3 * * 1", None, {})


def test_a_server_that_does_not_answer_is_one_line():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
        message = f"^PREFECT_API_URL: expected a Prefect server at {address}: [^\n]*$"
        with temporary_settings({PREFECT_API_URL: address}), pytest.raises(FlowError, match=message):
            serve.serve(".", "main", "0 3 * * 1", None, {})


def test_a_server_without_a_password_is_refused(prefect_server, monkeypatch):
    """Every web page in a browser on a machine that reaches it could have code run."""
    monkeypatch.setattr(serve, "serve_deployments", lambda *_, **__: pytest.fail("served"))
    with pytest.raises(FlowError, match=r"^PREFECT_API_URL: http://[^ ]* asks for no password: [^\n]*$"):
        serve.serve(".", "main", "0 3 * * 1", None, {})


@pytest.fixture
def log(monkeypatch) -> list[str]:
    """What happens to a `serve` whose server has gone and answers the third look: Prefect gives up after minutes."""
    answers, log = [None, httpx.ConnectError("refused"), httpx.ConnectError("refused"), None], []

    def problem():
        log.append("look")
        return answers.pop(0)

    monkeypatch.setattr(serve, "_server_problem", problem)
    monkeypatch.setattr(serve, "require_password", lambda: None)
    monkeypatch.setattr(pins, "VARIABLES", {})
    monkeypatch.setattr(serve, "_WAIT", 0.01)
    monkeypatch.setattr(os, "execv", lambda _, command: log.append(f"start {command is sys.orig_argv}"))
    return log


def serve_until(monkeypatch, *errors: Exception) -> None:
    def served(*_, **options):
        raise ExceptionGroup("", errors)

    monkeypatch.setattr(serve, "serve_deployments", served)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1/api"}):
        serve.serve(".", "main", "0 3 * * 1", None, {})


def test_it_starts_again_once_a_server_that_was_gone_is_back(log, monkeypatch):
    serve_until(monkeypatch, RuntimeError(serve._GAVE_UP), httpx.ConnectError("refused"))
    assert log == ["look", "look", "look", "look", "start True"]


def test_any_other_failure_ends_it(log, monkeypatch):
    with pytest.raises(ExceptionGroup):
        serve_until(monkeypatch, RuntimeError(serve._GAVE_UP), ValueError("a bug"))
    assert log == ["look"]

"""`flows.retraining.schedule`: the deployment, and what a person has got wrong."""

import os
import sys
from datetime import timedelta

import httpx
import pytest
from prefect.schedules import Interval
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.errors import FlowError
from flows.retraining import pins, schedule
from flows.retraining.hours import read_schedule

EVERY = Interval(timedelta(seconds=90))
TIMING = read_schedule("0 3 * * 1", None, "Asia/Tokyo")


def test_a_deployment_has_its_schedule_its_parameters_and_nothing_that_could_stop_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = schedule.deployment(
        ".", "main", read_schedule("0 3 * * 1", None, "Asia/Tokyo"), {"width": 2, "profile": None}
    )
    assert (made.flow_name, made.name) == ("smallset-retrain", f"{tmp_path.name}-main")
    [timing] = [one.schedule for one in made.schedules]
    assert (timing.cron, timing.timezone) == ("0 3 * * 1", "Asia/Tokyo")
    places = {"repository": str(tmp_path), "branch": "main", "checkout": None, "workers": None}
    assert made.parameters == places | {"width": 2}
    assert {name for name, one in made._parameter_openapi_schema.properties.items() if "readOnly" in one} == set(places)
    assert made.concurrency_limit is None
    assert {"profile", "overrides"} <= set(made._parameter_openapi_schema.properties)
    every = schedule.deployment("git@host:birds.git", "feature/owls", EVERY, {})
    assert [one.schedule.interval for one in every.schedules] == [timedelta(seconds=90)]
    assert (every.name, every.parameters["repository"]) == ("birds-feature-owls", "git@host:birds.git")
    assert schedule.deployment("https://host/a/birds.git/", "main", EVERY, {}, "mine").name == "mine"


def test_a_deployment_of_another_project_is_not_taken_over(prefect_server):
    from prefect.client.orchestration import get_client

    first = schedule.deployment("git@one:birds.git", "main", EVERY, {})
    schedule._refuse_anothers(first)
    try:
        first.apply()
        schedule._refuse_anothers(first)
        with pytest.raises(FlowError) as found:
            schedule._refuse_anothers(schedule.deployment("git@two:birds.git", "main", EVERY, {}))
        assert str(found.value).startswith(
            "smallset-retrain/birds-main: this server has it for git@one:birds.git main: give this one another --name, "
        )
        schedule._refuse_anothers(schedule.deployment("git@two:birds.git", "main", EVERY, {}, "other-birds"))
    finally:
        with get_client(sync_client=True) as client:
            client.delete_deployment(client.read_deployment_by_name("smallset-retrain/birds-main").id)


def test_no_server_is_one_line():
    with temporary_settings({PREFECT_API_URL: None}), pytest.raises(FlowError, match="needs a Prefect server"):
        schedule.serve(".", "main", EVERY, {})


def test_a_server_without_a_password_is_refused(prefect_server, monkeypatch):
    """Every web page in a browser on a machine that reaches it could have code run."""
    monkeypatch.setattr(schedule, "serve_until_signal", lambda *_, **__: pytest.fail("served"))
    with pytest.raises(FlowError, match=r"^PREFECT_API_URL: http://[^ ]* asks for no password: [^\n]*$"):
        schedule.serve(".", "main", EVERY, {})


@pytest.fixture
def log(monkeypatch) -> list[str]:
    """What happens to a `schedule` whose server has gone and answers the third look: Prefect gives up after minutes."""
    answers, log = [httpx.ConnectError("refused"), httpx.ConnectError("refused"), None], []

    def problem():
        log.append("look")
        return answers.pop(0)

    monkeypatch.setattr(schedule, "_server_problem", problem)
    for name in ("require_password", "require_answer"):
        monkeypatch.setattr(schedule, name, lambda: None)
    monkeypatch.setattr(schedule, "_refuse_anothers", lambda made: None)
    monkeypatch.setattr(pins, "VARIABLES", {})
    monkeypatch.setattr(schedule, "_WAIT", 0.01)
    monkeypatch.setattr(os, "execv", lambda _, command: log.append(f"start {command is sys.orig_argv}"))
    return log


def serve_until(monkeypatch, *errors: Exception) -> None:
    def served(*_, **options):
        raise ExceptionGroup("", errors)

    monkeypatch.setattr(schedule, "serve_until_signal", served)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1/api"}):
        schedule.serve(".", "main", EVERY, {})


def test_it_starts_again_once_a_server_that_was_gone_is_back(log, monkeypatch):
    serve_until(monkeypatch, RuntimeError(schedule._GAVE_UP), httpx.ConnectError("refused"))
    assert log == ["look", "look", "look", "start True"]


def test_any_other_failure_ends_it(log, monkeypatch):
    with pytest.raises(ExceptionGroup):
        serve_until(monkeypatch, RuntimeError(schedule._GAVE_UP), ValueError("a bug"))
    assert log == []

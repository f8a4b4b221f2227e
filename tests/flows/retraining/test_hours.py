"""`flows.retraining.hours`: in whose hours a cron line is, and runs that came due while nobody served."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.errors import FlowError
from flows.retraining import hours


@pytest.mark.parametrize("cron", ["nonsense", "0 25 * * *", "", "0 3 * * 1 2 3"])
def test_a_schedule_that_is_none_is_one_line(cron):
    with pytest.raises(FlowError) as found:
        hours.read_schedule(cron, None, "UTC")
    assert str(found.value) == f"--cron: expected minute, hour, day, month and weekday. Received: {cron!r}"


@pytest.mark.parametrize("zone", ["Nowhere/At_all", "../../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_time_zone_that_is_none_is_one_line(zone):
    with pytest.raises(FlowError, match=r"^--timezone: expected a name such as Europe/Berlin or UTC\. Received: "):
        hours.read_schedule("0 3 * * *", None, zone)


def test_the_hours_are_those_of_the_machine_or_of_the_option_and_are_told(monkeypatch):
    monkeypatch.setenv("TZ", "America/Lima")
    assert hours.describe(hours.read_schedule("0 3 * * *", None, None)) == (
        "cron 0 3 * * *, in the hours of America/Lima"
    )
    assert hours.read_schedule("0 3 * * *", None, "Europe/Berlin").timezone == "Europe/Berlin"
    monkeypatch.delenv("TZ")
    assert hours.read_schedule("0 3 * * *", None, None).timezone == hours.machine_zone()
    assert hours.describe(hours.read_schedule(None, 90.0, None)) == "every 0:01:30"
    with pytest.raises(FlowError, match="expected together with --cron"):
        hours.read_schedule(None, 90.0, "UTC")


@pytest.mark.parametrize(("day", "count"), [((2027, 3, 27), 4), ((2026, 10, 24), 4)])
def test_every_day_has_its_run_when_clocks_are_put_forward_and_back(day, count):
    """Of Prefect: at 02:30 of Berlin there is none, and there are two."""
    import asyncio

    from prefect.client.schemas.schedules import construct_schedule
    from prefect.server.schemas.schedules import CronSchedule

    found = hours.read_schedule("30 2 * * *", None, "Europe/Berlin")
    made = construct_schedule(cron=found.cron, timezone=found.timezone)
    times = CronSchedule(cron=made.cron, timezone=made.timezone)
    start = datetime(*day, tzinfo=UTC)
    dates = asyncio.run(times.get_dates(n=20, start=start, end=start + timedelta(days=4)))
    assert len({one.date() for one in dates}) == len(dates) == count


@pytest.mark.parametrize(("late", "is_told"), [(timedelta(minutes=1), False), (timedelta(hours=30), True)])
def test_a_run_that_comes_too_late_is_told(monkeypatch, site, late, is_told):
    from types import SimpleNamespace

    from flows.retraining import retrain

    due = datetime.now(UTC) - late
    monkeypatch.setattr(hours, "flow_run", SimpleNamespace(scheduled_start_time=due))
    monkeypatch.setattr(hours, "deployment", SimpleNamespace(id="1"))
    retrain._tell_what_nobody_could("main", None)
    assert [post["event"] for post in site.posts] == ["overdue"] * is_told
    monkeypatch.setattr(hours, "deployment", SimpleNamespace(id=None))
    retrain._tell_what_nobody_could("main", "process 7, begun 2026-01-01 03:00 UTC")
    assert site.posts[-1]["event"] == "crashed"
    assert "process 7" in site.posts[-1]["text"]


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300])
def test_seconds_that_are_none_are_one_line(seconds):
    with pytest.raises(FlowError, match=r"^--every: expected seconds between two runs\. Received: "):
        hours.read_schedule(None, seconds, None)

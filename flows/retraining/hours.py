"""When runs come due: the time zone of a cron line, and runs that came due while nobody served."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prefect.runtime import deployment, flow_run
from prefect.schedules import Cron, Interval, Schedule

from flows.errors import FlowError

LATE = timedelta(minutes=15)  # a run that begins later than that after it was due was missed by whoever serves


def read_schedule(cron: str | None, seconds: float | None, zone: str | None) -> Schedule:
    """Compose the schedule of `smallset schedule`.

    Args:
        cron: minute, hour, day, month and weekday.
        seconds: between two runs, where there is no cron line.
        zone: in whose hours the cron line is, such as Europe/Berlin; None is the machine's.

    Raises:
        FlowError: one of them is none.
    """
    if cron is None:
        if zone:
            raise FlowError("--timezone: expected together with --cron: --every has no hours")
        assert seconds is not None
        try:
            return Interval(timedelta(seconds=seconds))
        except (ValueError, OverflowError):
            raise FlowError(f"--every: expected seconds between two runs. Received: {seconds}") from None
    name = zone or machine_zone()
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise FlowError(f"--timezone: expected a name such as Europe/Berlin or UTC. Received: {name!r}") from None
    try:
        return Cron(cron, timezone=name)
    except ValueError:
        raise FlowError(f"--cron: expected minute, hour, day, month and weekday. Received: {cron!r}") from None


def describe(schedule: Schedule) -> str:
    """What a schedule means, for whoever has set it."""
    if schedule.cron is None:
        return f"every {schedule.interval}"
    return f"cron {schedule.cron}, in the hours of {schedule.timezone}"


def machine_zone() -> str:
    """The time zone of this machine: TZ, else what /etc/localtime points to, else UTC."""
    given = os.environ.get("TZ", "").lstrip(":")
    if given:
        return given
    _, found, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return name.removeprefix("posix/") if found else "UTC"


def overdue() -> datetime | None:
    """When this run of a deployment was due, if that is too long ago; None for every other run."""
    if deployment.id is None:
        return None
    due = flow_run.scheduled_start_time
    return due if due and datetime.now(UTC) - due > LATE else None

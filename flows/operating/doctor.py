"""`smallset doctor`: whether everything is in order that runs, retraining and whoever uses the model rely on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from flows.errors import FlowError
from flows.operating import leftovers, machine, repository, schedule, storage
from flows.operating.check import Check, failure
from flows.project.workspace import require_project
from safety.text import plain, visible

_GROUPS: dict[str, Callable[[], Sequence[Check]]] = {
    "git": repository.look,
    "storage": storage.look,
    "schedule": schedule.look,
    "leftovers": leftovers.look,
    "machine": machine.look,
}


def examine() -> list[Check]:
    """Look at everything, in the project of the working directory; what cannot be looked at is a failure.

    Raises:
        FlowError: this is no project.
    """
    require_project()
    found: list[Check] = []
    for name, look in _GROUPS.items():
        try:
            found += look()
        except (FlowError, OSError) as error:
            found.append(failure(name, str(error), "mend this, then look again"))
        except Exception as error:
            # Of a tool whose exceptions are not known: the other checks are wanted all the same.
            found.append(failure(name, f"{type(error).__name__}: {error}", "mend this, then look again"))
    return found


def show(checks: Sequence[Check]) -> None:
    """Print a line per check, what to do below it, and how many there are of each kind."""
    for check in checks:
        print(f"{check.state:8} {visible(check.name)}: {visible(check.found)}")
        if check.todo:
            print(f"{'':8} -> {visible(check.todo)}")
    counts = [f"{sum(check.state == state for check in checks)} {state}" for state in ("ok", "warning", "failure")]
    print(", ".join(counts))


def as_json(checks: Sequence[Check]) -> str:
    """All checks, with the fields of `Check`."""
    return json.dumps(plain([asdict(check) for check in checks]), indent=2)


def is_healthy(checks: Sequence[Check]) -> bool:
    """Whether nothing fails; warnings are none."""
    return all(check.state != "failure" for check in checks)

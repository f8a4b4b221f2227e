"""Faults of the machine that meet any command: a full disk, a folder that may not be written, what is not installed."""

from flows.errors import FlowError
from safety.machine_faults import machine_fault

_NEEDED = ("dvc", "prefect", "typer", "git")


def fault_of(error: BaseException) -> FlowError | None:
    """What an exception says of the machine, in one line; None if it may be a bug of ours."""
    if isinstance(error, FlowError):
        return error
    for one in chain(error):
        if isinstance(one, OSError) and (told := machine_fault(one)):
            return FlowError(told)
        if isinstance(one, ModuleNotFoundError) and (one.name or "").partition(".")[0] in _NEEDED:
            return FlowError(f"{one.name}: not installed here: `make .venv/ready` makes the environment")
        if type(one).__name__ == "OperationalError" and _is_full_database(str(one)):
            return FlowError(f"a database of DVC or Prefect: {str(one).splitlines()[0]}: free some space, run again")
    return None


def chain(error: BaseException | None) -> list[BaseException]:
    """An exception, its members if it is a group, and what they come from."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        context = None if one.__suppress_context__ else one.__context__
        waiting += [*getattr(one, "exceptions", ()), one.__cause__, context]
    return found


def _is_full_database(text: str) -> bool:
    return any(words in text for words in ("disk is full", "readonly database", "unable to open database", "disk I/O"))

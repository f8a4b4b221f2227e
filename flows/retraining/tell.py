"""Tries a few times to get a word to the webhook, and leaves a line in the log if none got there."""

import logging
import time
from typing import Any

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

from flows.project.git import own_file
from flows.project.whole_file import write_whole
from flows.retraining.notify import REFUSED, notify

TRIES = 3
WAIT = 2.0  # seconds before the second try; twice as long before the third
said: set[str] = set()  # events of this process
_OWED = "smallset-owed"  # in the folder of git: the run whose outcome is still to be told


def tell(event: str, text: str, **details: Any) -> None:
    """Post what has happened to SMALLSET_WEBHOOK; that it did not get there is logged and fails nothing.

    Args:
        event: as the table in docs/unattended.md has it.
        details: `branch`, `run`.
    """
    said.add(event)
    failure = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(WAIT * attempt)
        failure = notify(event, text, **details)
        # An address that is refused, such as one that is none, is refused again.
        if not failure or "answered 4" in failure or REFUSED in failure:
            break
    if failure:
        _log().warning("%s (%s: %s)", failure, event, text)


def owe(run: str) -> None:
    """Keep that the outcome of a run is still to be told, should nobody be left to tell it.

    Args:
        run: its id.
    """
    write_whole(own_file(_OWED), run)


def owed() -> str:
    """The run whose outcome nobody has told yet; empty for none."""
    file = own_file(_OWED)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def paid() -> None:
    """Forget what was owed."""
    own_file(_OWED).unlink(missing_ok=True)


def _log() -> Any:
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("smallset")

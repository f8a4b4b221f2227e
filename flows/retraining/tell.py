"""A word to the outside that gets there if it can: a few tries, and a line in the log if none did."""

import logging
import time
from typing import Any

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

from flows.retraining.notify import notify

TRIES = 3
WAIT = 2.0  # seconds before the second try; twice as long before the third
said: set[str] = set()  # events of this process


def tell(event: str, text: str, **details: Any) -> None:
    """Post what has happened to SMALLSET_WEBHOOK; that it did not get there is logged and fails nothing.

    Args:
        event: as the table in docs/retraining.md has it.
        details: `branch`, `run`.
    """
    said.add(event)
    failure = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(WAIT * attempt)
        failure = notify(event, text, **details)
        # An address that is refused, such as one that is none, is refused again.
        if not failure or "answered 4" in failure:
            break
    if failure:
        _log().warning("%s (%s: %s)", failure, event, text)


def _log() -> Any:
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("smallset")

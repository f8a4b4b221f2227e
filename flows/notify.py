"""A word to the outside when something needs to be known: a failure, or another model in use."""

import os
from typing import Any

import requests

VARIABLE = "SMALLSET_WEBHOOK"
_TIMEOUT = 10.0  # seconds


def notify(event: str, text: str, **details: Any) -> str | None:
    """Post `{"event", "text", ...}` as JSON to the address in SMALLSET_WEBHOOK, if there is one.

    `text` is what Slack, Mattermost and others show.

    Returns:
        Why it did not get there, if it did not: a run does not fail for it.
    """
    address = os.environ.get(VARIABLE)
    if not address:
        return None
    try:
        answer = requests.post(address, json={"event": event, "text": text} | details, timeout=_TIMEOUT)
        answer.raise_for_status()
    except requests.RequestException as error:
        return f"{VARIABLE}: {error}"
    return None

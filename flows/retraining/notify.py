"""Posts to the webhook what somebody has to know: a failure, or another model in use."""

import html
import os
import re
from typing import Any

import httpx

from safety.text import redacted, shown
from safety.web import Refused, Route

VARIABLE = "SMALLSET_WEBHOOK"
_TIMEOUT = 10.0  # seconds
REFUSED = "not told: the address is refused"


def notify(event: str, text: str, **details: Any) -> str | None:
    """Post `{"event", "text", ...}` as JSON to the address in SMALLSET_WEBHOOK, if there is one.

    `text` is what Slack, Mattermost and others show. Whoever has the address can write there: it is a secret.

    Returns:
        Why it did not get there, if it did not: a run does not fail for it.
    """
    address = os.environ.get(VARIABLE)
    if not address:
        return None
    try:
        said = {name: redacted(value) if isinstance(value, str) else value for name, value in details.items()}
        content = {"event": event, "text": _plain(text)} | said
        # Nowhere else than to this address, and of its answer the head alone.
        with Route(address, _TIMEOUT).stream("POST", {}, most_steps=0, json=content) as answer:
            pass
    except Refused:
        return f"{VARIABLE}: {REFUSED}: it leads elsewhere, or is no address of http or https"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # What the exception says has the address in it, in one form or another.
        return f"{VARIABLE}: not told: {type(error).__name__}"
    if answer.is_success:
        return None
    return f"{VARIABLE}: not told: the server answered {answer.status_code} {answer.reason_phrase}"


def _plain(text: str) -> str:
    """Text that Slack and Mattermost show as it is: nobody is called by it, and no `<...>` is theirs to obey."""
    return re.sub(r"(?<!\w)@(?=\w)", "@\u200b", html.escape(shown(text), quote=False))

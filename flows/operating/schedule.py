"""`smallset doctor`: when retraining last succeeded, and whether somebody carries it out on a schedule."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.errors import FlowError
from flows.operating.check import Check, failure, ok, warning
from flows.project.git import GitError, git
from flows.registry import publish
from flows.retraining import checkout_places, last_run

PATIENCE = 10.0  # seconds for a Prefect server to answer
_FLOW = "smallset-retrain"
_SERVER = "docs/retraining.md says how it is started"


def look() -> list[Check]:
    """When did retraining last look, what did it come to, and does a Prefect server have it on a schedule?"""
    return [*_last(), *_server()]


def checkouts() -> list[Path]:
    """The checkouts that runs have made of this repository, or of the one it was cloned from, by default places."""
    places = [Path().resolve()]
    with suppress(FlowError):
        places += sorted(checkout_places.home().glob("*"))
    addresses = _addresses()
    return [place for place in dict.fromkeys(places) if checkout_places.made_of(place) in addresses]


def _addresses() -> set[str]:
    found = {str(Path().resolve())}
    try:
        url = git("remote", "get-url", publish.REMOTE)
        found |= {url, checkout_places.address_of(url)}
    except GitError:
        pass
    return found


def _last() -> Iterator[Check]:
    found = {place: last_run.read(place) for place in checkouts()}
    known = {place: one for place, one in found.items() if one}
    if not known:
        yield ok("retraining", "no run of it has ended in a checkout of this machine")
    for place, one in known.items():
        name = f"retraining in {place}"
        success = f"last success {_ago(one.succeeded)}" if one.succeeded else "never a success"
        if one.succeeded != one.ended:
            text = f"the last run did not succeed ({one.state}), {_ago(one.ended)}: {one.message}; {success}"
            yield failure(name, text, "mend what it says, then `smallset retrain`")
        elif one.state == "Undecided":
            todo = "`smallset promote RUN --push`, where RUN is what is wanted in use"
            yield warning(name, f"{success}; a person is asked: {one.message}", todo)
        else:
            yield ok(name, f"{success}: {one.state}")


def _ago(when: str) -> str:
    try:
        at = datetime.fromisoformat(when)
        passed = datetime.now(UTC) - at
    except (ValueError, TypeError):
        return f"at {when}"
    if passed < timedelta(0):
        return f"{when}, in the future: clocks differ"
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(passed.total_seconds() // seconds)) >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago ({when})"
    return f"just now ({when})"


def _server() -> list[Check]:
    import httpx
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL

    address = PREFECT_API_URL.value()
    if not address:
        return [ok("schedule", "no Prefect server is configured (PREFECT_API_URL): nothing retrains by itself")]
    # Prefect's own type is that of a secret; what it gives is the text.
    secret = str(PREFECT_API_AUTH_STRING.value() or "")
    user, _, word = secret.partition(":")

    def ask(method: str, path: str, body: object = None) -> object:
        sent = {"auth": (user, word)} if secret else {}
        answer = httpx.request(method, f"{address}{path}", json=body, timeout=PATIENCE, **sent)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer.json()

    try:
        made = ask("POST", "/deployments/filter", {"flows": {"name": {"any_": [_FLOW]}}})
        settings = ask("GET", "/admin/settings")
    except httpx.HTTPStatusError as error:
        todo = "PREFECT_API_AUTH_STRING: the server's own PREFECT_SERVER_API_AUTH_STRING"
        return [failure("Prefect server", f"{address} answers {error.response.status_code}", todo)]
    except (httpx.HTTPError, ValueError) as error:
        return [failure("Prefect server", f"{address} does not answer: {type(error).__name__}: {error}", _SERVER)]
    return [ok("Prefect server", f"{address} answers"), *_told(settings), *_deployments(made)]


def _told(settings: object) -> list[Check]:
    server = settings.get("server", {}) if isinstance(settings, dict) else {}
    if isinstance(server, dict) and server.get("analytics_enabled", True):
        todo = "start it with PREFECT_SERVER_ANALYTICS_ENABLED=false"
        return [warning("telemetry", "the Prefect server sends word of itself to its makers", todo)]
    return [ok("telemetry", "the Prefect server sends none")]


def _deployments(found: object) -> Iterator[Check]:
    addresses = _addresses()
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    own = [one for one in rows if (one.get("parameters") or {}).get("repository") in addresses]
    if not own:
        text = f"none of this repository among {len(rows)} of {_FLOW}"
        yield warning("schedule", text, "`smallset schedule --cron ...`, unless a work pool or cron itself does it")
    for one in own:
        name = f"schedule {_FLOW}/{one.get('name')}"
        active = [each for each in one.get("schedules") or [] if isinstance(each, dict) and each.get("active")]
        polled = one.get("last_polled")
        if one.get("paused") or not active:
            yield warning(name, "paused, or without a schedule", "resume it in Prefect's UI, or `smallset schedule`")
        elif one.get("status") != "READY":
            since = f"since {polled}" if polled else "and never was"
            yield failure(
                name, f"nobody is there to carry it out {since}", "start `smallset schedule`, or the pool's worker"
            )
        else:
            yield ok(name, f"carried out; last heartbeat {polled}")

"""What every request passes: who asks, how much and how long; what every answer carries; a line of log for each."""

import asyncio
import json
import logging
import re
import secrets
import time
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smallset.service.errors import Refused
from smallset.service.metrics import Metrics
from smallset.service.settings import Settings, is_loopback

log = logging.getLogger("smallset.service")
# Whoever watches over the service, and the page that asks for the token, need none.
OPEN = frozenset({"/", "/page.css", "/page.js", "/health", "/ready", "/v2/health/live", "/v2/health/ready"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_GONE = 499  # in the log alone: the caller left before the answer
_ONCE = frozenset({b"host", b"origin", b"authorization", b"content-length"})  # of two, others may go by the other one
_PLACE = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d*)?")
_PATIENCE, _MOST_REST = 2, 64 << 20  # seconds in which the rest of a refused body may come, and its bytes


class Gate:
    """Middleware around the application; knows nothing of images."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        """Nothing is asked yet."""
        self._app, self._settings, self._metrics = app, settings, metrics
        self._reading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # HEAD is answered as GET is, and the server leaves the body away.
        method, scope = scope["method"], {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        begun, seen, taken = time.perf_counter(), _Seen(send), _Taken(receive, self._settings.most_bytes)
        scope.setdefault("state", {})["images"] = 0
        try:
            self._admit(scope)
            async with asyncio.timeout(self._settings.seconds):
                await self._counted(scope, taken, seen)
        except Refused as refused:
            await seen.refuse(refused, taken.is_whole)
        except TimeoutError:
            await seen.refuse(Refused(504, f"took more than {self._settings.seconds:g} seconds"), taken.is_whole)
        except ClientDisconnect:
            seen.status = seen.status or _GONE
        except Exception:
            number = secrets.token_hex(4)
            log.exception("failed", extra={"fields": {"failure": number}})
            await seen.refuse(Refused(500, f"failed; the service's log has more under {number}"), taken.is_whole)
        finally:
            self._tell(scope, method, seen.status, time.perf_counter() - begun)
        if seen.is_refusal:
            await taken.rest()
            await send({"type": "http.response.body", "body": b""})

    def _admit(self, scope: Scope) -> None:
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _ONCE and name in headers:
                raise Refused(400, f"expected the header {name.decode()} once")
            headers[name] = value.decode("latin-1")
        if b"content-length" in headers and b"transfer-encoding" in headers:
            # A proxy may go by the other one.
            raise Refused(400, "expected one way to tell the end of a body. Received: two")
        if self._settings.token is None and is_loopback(self._settings.host):
            # A page of the web whose name leads to this machine, as of DNS rebinding, has its own name here.
            if not is_loopback(_name_of(headers.get(b"host", "localhost"))):
                raise Refused(421, "expected a Host of this machine; behind a proxy set a token")
            # One that posts to this machine's address could not read the answer, but would keep the model busy.
            if not is_loopback(_name_of(headers.get(b"origin", "http://localhost").partition("://")[2])):
                raise Refused(403, "expected a page of this machine, which has another Origin; elsewhere set a token")
        if scope["path"] not in OPEN and not self._settings.admits(headers.get(b"authorization")):
            raise Refused(401, "expected the header Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        length = headers.get(b"content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._settings.most_bytes:
            raise _too_large(self._settings.most_bytes)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._reading >= self._settings.most_requests:
            raise Refused(503, f"{self._reading} requests are worked on: try again", {"Retry-After": "1"})
        self._reading += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._reading -= 1

    def _tell(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")  # never what a stranger writes there
        method = method if method in {"GET", "POST", "HEAD"} else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        fields = {"method": method, "route": route, "status": status, "milliseconds": round(1000 * seconds, 1)}
        log.info("request", extra={"fields": fields | {"images": scope["state"]["images"]}})


class _Seen:
    """Sends on what the application sends, with headers, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send, self.status, self.is_refusal = send, 0, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS.items()]}
        await self._send(message)

    async def refuse(self, refused: Refused, is_whole: bool) -> None:
        """Send an error whole, but do not end the answer yet; the connection ends if more of the body would come."""
        if self.status:  # an answer has begun, which cannot be taken back
            return
        self.is_refusal = True
        headers = refused.headers | ({} if is_whole else {"Connection": "close"})
        said = JSONResponse({"error": refused.message}, refused.status, headers)
        await self({"type": "http.response.start", "status": said.status_code, "headers": said.raw_headers})
        await self._send({"type": "http.response.body", "body": bytes(said.body), "more_body": True})


class _Taken:
    """Receives at most so many bytes of a body, whatever its headers say."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive, self._most, self._bytes, self.is_whole = receive, most_bytes, 0, False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self._bytes > self._most:
            raise _too_large(self._most)
        return message

    async def rest(self) -> None:
        """Let go what is still to come, for a moment: many callers lose the answer if the connection ends before."""
        most = self._bytes + _MOST_REST
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not self.is_whole and self._bytes <= most:
                    message = await self._receive()
                    self._bytes += len(message.get("body", b""))
                    self.is_whole = not message.get("more_body", False)


def _too_large(most_bytes: int) -> Refused:
    return Refused(413, f"expected a body of at most {most_bytes:,} bytes")


def _name_of(place: str) -> str:
    """The name in `name:port`; nothing where it is no such thing."""
    found = _PLACE.fullmatch(place)
    return found[1] if found else ""


class JsonLines(logging.Formatter):
    """A record as a line of JSON: when, how grave, what, and its fields; no name or content of an image is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {"time": f"{now}.{int(record.msecs):03}Z", "level": record.levelname.lower()}
        line |= {"event": record.getMessage()} | getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)

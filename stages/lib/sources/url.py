"""An archive from the network: resumed where it broke, tried again, checked before anyone uses it."""

import hashlib
import re
from pathlib import Path

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential

from safety.checksums import checksum
from safety.download_headers import download_headers
from safety.text import redacted
from safety.web import Refused, Route
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.core.outputs import remove
from stages.lib.core.progress import progress
from stages.lib.sources.limits import Limits, Stalled, TooLarge, Watch

PARTIALS = Path(".smallset") / "downloads"
FIRST_WAIT = 1.0  # seconds; each further wait is twice as long
LONGEST_WAIT = 30.0  # seconds
TRIES = 6  # in a row without a byte more than before
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
# About the address, not about this moment; the last two are transport errors by their class.
_HOPELESS = (Refused, httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class _TryAgain(Exception):
    """An answer that may be better next time."""


def fetch(url: str, sha256: str | None, limits: Limits) -> Path:
    """Download a file; what came before an interruption is kept and not fetched again.

    Args:
        url: http or https.
        sha256: 64 hexadecimal digits; None takes whatever the address has now.
        limits: bytes and seconds that it may take.

    Returns:
        The complete file, in `PARTIALS`; the caller removes it with `forget`.

    Raises:
        UserError: the address has no such file, leads where none is fetched from (`web.Route`), does not answer after
            several tries, gives another content, more than the limits allow, or more than the disk takes.
    """
    if not re.match("https?://", url):
        raise UserError(f"download.url: expected an address that starts with http:// or https://. Received: {url!r}")
    download = _Download(url, sha256.lower() if sha256 else None, limits)
    download.run()
    return download.file


def _is_worth_another_try(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError | _TryAgain | Stalled) and not isinstance(error, _HOPELESS)


def forget(file: Path) -> None:
    """Remove a file that `fetch` gave."""
    remove(file)
    remove(_validator_of(file))


def _validator_of(file: Path) -> Path:
    return file.with_suffix(".version")


class _Download:
    """One file on its way: how much of it is there, and how often nothing came."""

    def __init__(self, url: str, sha256: str | None, limits: Limits) -> None:
        self.url, self.sha256, self.limits = url, sha256, limits
        self.route = Route(url, limits.seconds)
        self.file = PARTIALS / f"{sha256 or hashlib.sha256(url.encode()).hexdigest()}.partial"
        self.most, self.idle = self._size(), 0

    def run(self) -> None:
        """Fetch until the checksum is right."""
        PARTIALS.mkdir(parents=True, exist_ok=True)
        if self.sha256 and self.file.exists() and checksum(self.file) == self.sha256:
            return
        retrying = Retrying(
            retry=retry_if_exception(_is_worth_another_try),
            wait=wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
            stop=self._is_hopeless,
            before_sleep=self._say,
            reraise=True,
        )
        try:
            retrying(self._attempt)
        except TooLarge:
            forget(self.file)
            raise
        except _HOPELESS as error:
            raise UserError(f"download.url: {self.url}: {error}") from None
        except (httpx.TransportError, _TryAgain, Stalled) as error:
            if self.route.is_over:
                raise TemporaryError(
                    f"{self.url}: expected the whole file within {self.limits.seconds / 3600:g} h "
                    f"(download.max_hours), received {self._size():,} bytes, which are kept"
                ) from None
            reason = str(error) or type(error).__name__
            raise TemporaryError(
                f"{self.url}: gave up after {TRIES} tries without progress: {reason}; "
                f"{self._size():,} bytes are kept, run again to go on"
            ) from None
        received = checksum(self.file)
        if self.sha256 and received != self.sha256:
            forget(self.file)
            raise UserError(f"{self.url}: expected sha256 {self.sha256}, received {received}; check download.sha256")

    def _is_hopeless(self, state: RetryCallState) -> bool:
        progressed = self._size() > self.most
        self.most = max(self.most, self._size())
        self.idle = 0 if progressed else self.idle + 1
        return self.idle >= TRIES or self.route.is_over

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        print(
            f"{redacted(self.url)}: {error or type(error).__name__}; trying again at byte {self._size():,}", flush=True
        )

    def _size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    def _attempt(self) -> None:
        # Without a checksum only the server can say whether it still has the file that the bytes are of.
        done = self._size() if self.sha256 or _validator_of(self.file).exists() else 0
        headers = download_headers()
        if done:
            headers["Range"] = f"bytes={done}-"
            if _validator_of(self.file).exists():
                headers["If-Range"] = _validator_of(self.file).read_text(encoding="utf-8")
        with self.route.stream("GET", headers) as response:
            self._accept(response, done)

    def _accept(self, response: httpx.Response, done: int) -> None:
        status = response.status_code
        # Beside a checksum, which says more, it may be that of another of several servers.
        if done and self.sha256 is None and self._is_of_another_version(response):
            forget(self.file)
            raise _TryAgain("the server has another file than before")
        if status == httpx.codes.PARTIAL_CONTENT and _first_byte(response) == done:
            self._write(response, done)
        elif status == httpx.codes.OK:
            # Nothing was there before, or the server knows no ranges, or the file has changed.
            self._remember_version(response)
            self._write(response, 0)
        elif status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and self._is_whole(response, done):
            pass
        elif status in (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
            forget(self.file)
            raise _TryAgain(f"the server has no bytes from {done:,} on")
        elif status in _WORTH_ANOTHER_TRY:
            raise _TryAgain(f"the server answered {status} {response.reason_phrase}")
        else:
            raise UserError(f"{self.url}: expected a file, the server answered {status} {response.reason_phrase}")

    def _is_of_another_version(self, response: httpx.Response) -> bool:
        """Whether a part, or that there is none, is told of another file than the one that is here in part.

        A server that knows `If-Range` never does so, but not every one knows it.
        """
        validator = _validator_of(self.file)
        about_the_file = (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE)
        if response.status_code not in about_the_file or not validator.exists():
            return False
        known = validator.read_text(encoding="utf-8")
        return bool(response.headers.get("ETag" if known.startswith('"') else "Last-Modified", known) != known)

    def _is_whole(self, response: httpx.Response, done: int) -> bool:
        """Whether the server has the version that is here, and no byte after it: all of it had come before."""
        of_this_version = _validator_of(self.file).exists()
        return of_this_version and response.headers.get("Content-Range", "") == f"bytes */{done}"

    def _remember_version(self, response: httpx.Response) -> None:
        tag = response.headers.get("ETag", "")
        version = response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag
        remove(_validator_of(self.file))
        if version:
            _validator_of(self.file).write_text(version, encoding="utf-8")

    def _write(self, response: httpx.Response, start: int) -> None:
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        watch = Watch(self.url, PARTIALS, self.limits, start, total)
        with self.file.open("ab" if start else "wb") as file, progress("downloading", total, in_bytes=True) as tell:
            # As they come: what waits for a full block would be lost where the connection breaks. Raw: nothing that
            # is compressed on the way grows here.
            for block in response.iter_raw():
                watch.check(file.tell() + len(block))
                file.write(block)
                tell(file.tell())


def _first_byte(response: httpx.Response) -> int | None:
    found = re.match("bytes ([0-9]{1,18})-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None

"""How a service listens, and what it lets a stranger ask for."""

import hmac
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from smallset.errors import UserError

TOKEN = "SMALLSET_TOKEN"  # variable that holds the token; never an argument, which other users of a machine can see
_SHORTEST_TOKEN = 16
_LONGEST = 3600  # seconds
# What a person calls a setting, and how much one of it is.
_OPTIONS = {
    "most_bytes": ("--max-megabytes", 1 << 20),
    "most_pixels": ("--max-megapixels", 1_000_000),
    "most_images": ("--max-images", 1),
    "most_waiting": ("--max-waiting", 1),
    "batch": ("--batch", 1),
}


@dataclass(frozen=True)
class Settings:
    """All that a service is told.

    Attributes:
        host: address to listen on.
        port: of it; 0 takes a free one.
        token: what callers have to send; None lets everybody in.
        most_bytes: of the body of a request.
        most_pixels: of an image, before it is made smaller.
        most_images: of a request.
        most_waiting: images that are read or wait for the model at one moment, of all requests together.
        most_requests: whose bodies are read at one moment.
        seconds: that a request may take, its arrival included.
        batch: images of concurrent requests that the model computes together; 1 computes one after the other.
        decoders: processes that read images.
        look_every: seconds between two looks for another bundle.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    most_bytes: int = 32 << 20
    most_pixels: int = 50_000_000
    most_images: int = 32
    most_waiting: int = 256
    most_requests: int = 64
    seconds: float = 30
    batch: int = 1
    decoders: int = min(4, os.cpu_count() or 1)
    look_every: float = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UserError: a number is out of its range.
        """
        if not 0 <= self.port <= 65535:
            raise UserError(f"--port: expected a number from 0 to 65535. Received: {self.port}")
        for name, (option, unit) in _OPTIONS.items():
            if getattr(self, name) < 1:
                raise UserError(f"{option}: expected at least 1. Received: {getattr(self, name) // unit}")
        if not 0 < self.seconds <= _LONGEST:
            raise UserError(f"--max-seconds: expected more than 0, at most {_LONGEST}. Received: {self.seconds:g}")
        if self.most_waiting < self.most_images:
            # A request of as many images as it may have would be told to come again for ever.
            raise UserError(
                f"--max-waiting: expected at least --max-images, {self.most_images}. Received: {self.most_waiting}"
            )

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this header may be answered; takes as long for every wrong token of a length."""
        if self.token is None:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether an address, or a name that means it everywhere, is this machine's alone."""
    name = host.removeprefix("[").removesuffix("]")
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def read_token(file: Path | None) -> str | None:
    """The token from a file, else from the variable `SMALLSET_TOKEN`; None where there is neither.

    Raises:
        UserError: it cannot be read, is short, or has other letters than a header may have.
    """
    where = TOKEN if file is None else str(file)
    try:
        found = os.environ.get(TOKEN) if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--token-file {file}: cannot be read: {error}") from None
    if found is None:
        return None
    token = found.strip()
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UserError(f"{where}: expected a token of at least {_SHORTEST_TOKEN} letters of ASCII without spaces")
    return token


def require_guarded(host: str, token: str | None, without_token: bool) -> None:
    """Refuse to listen to other machines without a token, unless that is what was asked for.

    Raises:
        UserError: it would.
    """
    if token is None and not without_token and not is_loopback(host):
        raise UserError(
            f"--host {host}: other machines could ask without a token: set {TOKEN} or --token-file, "
            "or say --no-token where something before the service asks who calls"
        )

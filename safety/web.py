"""Requests to an address that a user gave, and to where it leads: few steps, none into a private network, all timed."""

import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from safety.addresses import is_public, is_reserved, literal

MOST_STEPS = 5  # redirects of one request
_TIMEOUT = 30.0  # seconds without an answer or a byte


class Refused(Exception):
    """An address that is not asked; the message says why."""


class Route:
    """The requests of one download.

    An address may lead to another one at most `MOST_STEPS` times, by http or https, from https only to https, and from
    a public address only to public ones: a name is resolved here, and the address that was looked at is the one that is
    connected to. The address that the user gave may be a private one. Where a proxy is set, it is the proxy that
    resolves names and connects; only addresses written as numbers, and localhost, are known to be private then.
    """

    def __init__(self, url: str, seconds: float) -> None:
        """Begin at an address; everything together may last so long."""
        self.url, self.ends = url, time.monotonic() + seconds
        self._seen_public, self._step, self._cookies = False, 0, httpx.Cookies()

    @property
    def is_over(self) -> bool:
        """Whether its time has passed."""
        return time.monotonic() >= self.ends

    @contextmanager
    def stream(
        self, method: str, headers: Mapping[str, str], most_steps: int = MOST_STEPS, **content: Any
    ) -> Iterator[httpx.Response]:
        """Ask, and follow where the answer leads; the header Authorization goes to the given server alone.

        Args:
            most_steps: 0 follows nowhere.
            content: as of `httpx.Client.stream`, such as `json`.

        Yields:
            The last answer, of which nothing but the head has been read.

        Raises:
            Refused: it leads somewhere that is not asked, or on and on.
            httpx.TransportError, httpx.InvalidURL: as httpx does.
        """
        url = httpx.URL(self.url)
        for step in range(most_steps + 1):
            self._step = step
            _check(url, step)
            with self._client(url) as client, client.stream(method, url, headers=dict(headers), **content) as answer:
                if not answer.has_redirect_location:
                    yield answer
                    return
                self._cookies = client.cookies
                following = url.join(answer.headers["Location"])
            if url.scheme == "https" and following.scheme == "http":
                raise Refused(f"leads from https to {following.host} without encryption")
            if _origin(following) != _origin(url):
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            url = following
        raise Refused(f"leads on to {url.host} after {most_steps} redirects, the most that are followed")

    def admit(self, host: str, addresses: list[str]) -> list[str]:
        """Those of a host's addresses that may be connected to.

        Raises:
            Refused: none of them.
        """
        if public := [address for address in addresses if is_public(address)]:
            self._seen_public = True
            return public
        if self._seen_public:
            raise Refused(f"a public address leads to {host}, {addresses[0]}, which is in a private network")
        if self._step and any(is_reserved(address) for address in addresses):
            raise Refused(f"leads to {host}, {addresses[0]}, which gives out what is this machine's alone")
        return addresses

    def _client(self, url: httpx.URL) -> httpx.Client:
        more: dict[str, Any] = {"timeout": _TIMEOUT, "cookies": self._cookies, "trust_env": False}
        if proxy := _proxy_of(url):
            self.admit(url.host, [literal(url.host) or "8.8.8.8"])  # a name is taken for a public one
            return httpx.Client(proxy=proxy, verify=_certificates(), **more)
        return httpx.Client(transport=_Transport(_Network(self)), **more)


def _check(url: httpx.URL, step: int) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused(f"leads to {url}: expected an address that starts with http:// or https://")
    if url.userinfo and step:
        raise Refused(f"leads to {url.host} with a user in the address")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _proxy_of(url: httpx.URL) -> str | None:
    """The proxy that the environment, or the system, names for an address."""
    found = urllib.request.getproxies()
    proxy = found.get(url.scheme) or found.get("all")
    if not proxy or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _certificates() -> Any:
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    def __init__(self, network: httpcore.NetworkBackend) -> None:
        super().__init__(verify=_certificates())
        # httpx has no public way to say how it connects; tests attack what depends on this.
        self._pool = httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=network)


class _Network(httpcore.NetworkBackend):
    """Connections to the addresses that a route admits, and no others."""

    def __init__(self, route: Route) -> None:
        self._route, self._real = route, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host}: {error}") from None
        failed: Exception | None = None
        for address in self._route.admit(host, list(dict.fromkeys(str(entry[4][0]) for entry in found))):
            try:
                left = _left(self._route, timeout, httpcore.ConnectTimeout)
                stream = self._real.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self._route)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError(f"{host}: no address")


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the time of its route, however slowly the bytes come."""

    def __init__(self, stream: httpcore.NetworkStream, route: Route) -> None:
        self._stream, self._route = stream, route

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._route, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._route, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._route, timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._route)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(route: Route, timeout: float | None, over: type[Exception]) -> float:
    left = route.ends - time.monotonic()
    if left <= 0:
        raise over("its time is over")
    return left if timeout is None else min(timeout, left)

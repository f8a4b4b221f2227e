"""Addresses on the net: which are of the public internet, and which of this machine alone."""

import ipaddress
import socket

_EMBEDDING = ipaddress.ip_network("64:ff9b::/96")  # NAT64, RFC 6052: the last 32 bits are an IPv4 address
# Where clouds give out the credentials of a machine, besides the link-local 169.254.169.254.
_METADATA = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it is an IPv4 address inside one of IPv6."""
    found = _unwrapped(address)
    site_local = isinstance(found, ipaddress.IPv6Address) and found.is_site_local
    return found.is_global and not (found.is_multicast or found.is_reserved or site_local)


def _unwrapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv4Address):
        return found
    inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
    if inner is None and found in _EMBEDDING:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return inner or found


def is_reserved(address: str) -> bool:
    """Whether an address gives out what is this machine's alone."""
    found = _unwrapped(address)
    return found.is_link_local or found in _METADATA


def literal(host: str) -> str | None:
    """The address that a host is written as; None for a name."""
    if host.rstrip(".").lower().split(".")[-1] == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        # As the system reads 2130706433 and 0x7f.1.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None

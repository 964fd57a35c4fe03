"""Which addresses an outgoing call may go to. Reference `reliability-security-ecosystem.md` B2-1."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from config.http.answer import Refused, TooSlow, Unreachable
from config.http.own import port_of

PUBLIC_PORTS = {443, 8443}
# Python calls some of these global although they lead back inside.
TUNNELS = [
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0/96", "fec0::/10")
]


@dataclass(frozen=True)
class Target:
    """Where a call goes: the name for the server, and the checked addresses to connect to."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.host}:{self.port}"


def screen(url: str, *, trusted: bool, seconds: float) -> Target:
    """Resolve the host of ``url`` and check it; raises :class:`Refused` or :class:`Unreachable`."""
    scheme, host, port = parts_of(url)
    allowed = trusted or f"{host}:{port}" in configured_hosts()
    if not allowed and (scheme != "https" or port not in PUBLIC_PORTS):
        raise Refused(
            f"{scheme}://{host}:{port} is not called: only https on the ports 443 and 8443 is, unless the "
            "sites file or LODESTAR_OUTBOUND_ALLOW names the host and port."
        )
    addresses = resolve(host, port, seconds=seconds)
    private = [address for address in addresses if not is_public(address)]
    if private and not allowed:
        raise Refused(
            f"{host} is not called: it leads to {private[0]}, which is not a public address, and neither "
            f"the sites file nor LODESTAR_OUTBOUND_ALLOW names {host}:{port}."
        )
    return Target(scheme, host, port, addresses)


def parts_of(url: str) -> tuple[str, str, int]:
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url) or "\\" in url:
        raise Refused(f"{shown(url)} is not called: an address holds no spaces and no control characters.")
    try:
        parts = urlsplit(url)
        port = port_of(parts)
    except ValueError as error:
        raise Refused(f"{shown(url)} is not called: {error}.") from error
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in {"http", "https"} or not host or not port:
        raise Refused(f"{shown(url)} is not called: it must be an absolute http or https address.")
    if parts.username is not None or parts.password is not None:
        raise Refused(f"The address of {host} is not called: it must not hold a user or a password.")
    return parts.scheme, host, port


def configured_hosts() -> set[str]:
    """``host:port`` of every address in the sites file and of LODESTAR_OUTBOUND_ALLOW."""
    from config import site_access  # it needs our own addresses to fill in absent ones

    found: set[str] = set()
    for entry in settings.OUTBOUND_ALLOW:
        found |= {entry} if ":" in entry else {f"{entry}:80", f"{entry}:443"}
    try:
        sites = site_access.configured_sites()
    except site_access.SitesFileError:
        return found
    for site in sites:
        for url in (
            site.host_uri,
            site.admin_endpoint,
            site.notifier_endpoint,
            site.recommendation_endpoint,
            site.event_endpoint,
            site.user_endpoint,
        ):
            _scheme, host, port = parts_of(url)
            found.add(f"{host}:{port}")
    return found


class Lookup:
    """One question to the resolver, which knows no time limit; several calls may wait for it."""

    def __init__(self, host: str, port: int) -> None:
        self.place = (host, port)
        self.found: tuple[str, ...] = ()
        self.failure = ""
        self.thread = threading.Thread(target=self.ask, daemon=True, name="resolver")

    def ask(self) -> None:
        try:
            rows = socket.getaddrinfo(*self.place, type=socket.SOCK_STREAM)
            self.found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            self.failure = f" ({error})"
        with _lock:
            _lookups.pop(self.place, None)


_lookups: dict[tuple[str, int], Lookup] = {}
_lock = threading.Lock()


def lookup_of(host: str, port: int) -> Lookup:
    """The question that is being asked, else a new one: a resolver that hangs keeps one thread a name."""
    with _lock:
        lookup = _lookups.get((host, port))
        if lookup is None:
            lookup = _lookups[host, port] = Lookup(host, port)
            lookup.thread.start()
        return lookup


def resolve(host: str, port: int, *, seconds: float) -> tuple[str, ...]:
    """Every address of ``host``, asked for once."""
    if is_literal(host):
        lookup = Lookup(host, port)
        lookup.ask()
    else:
        lookup = lookup_of(host, port)
        lookup.thread.join(max(seconds, 0.0))
        if lookup.thread.is_alive():
            raise TooSlow(f"The name {host} was not resolved within {seconds:.1f} s.")
    if not lookup.found:
        raise Unreachable(f"The name {host} cannot be resolved{lookup.failure}.")
    return lookup.found


def is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether ``address`` is a host on the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and any(ip in net for net in TUNNELS):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def shown(url: str) -> str:
    """An address as it may stand in a message: without its query, short."""
    return repr(url.partition("?")[0][:80])

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


def resolve(host: str, port: int, *, seconds: float) -> tuple[str, ...]:
    """Every address of ``host``, asked for once. The resolver knows no time limit, so a thread waits."""
    found: list[str] = []
    failure: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            failure.append(error)

    if is_literal(host):
        ask()
    else:
        waiter = threading.Thread(target=ask, daemon=True, name="resolver")
        waiter.start()
        waiter.join(max(seconds, 0.0))
        if waiter.is_alive():
            raise TooSlow(f"The name {host} was not resolved within {seconds:.1f} s.")
    if not found:
        raise Unreachable(f"The name {host} cannot be resolved{f' ({failure[0]})' if failure else ''}.")
    return tuple(found)


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

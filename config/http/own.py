"""Where this installation itself answers."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

DEFAULT_PORTS = {"http": 80, "https": 443}


def own_base() -> str:
    """Base address of this installation, without a slash at the end; follows the served port."""
    return str(settings.WAGTAILADMIN_BASE_URL).rstrip("/")


def event_base() -> str:
    """Base address of the event intake: the collector's port where it runs, else the web port.

    The collector speaks plain http, which no page open under https may call: there the web server in front
    hands events to it, or our web port takes them.
    """
    base = urlsplit(own_base())
    if not settings.EVENT_PORT or base.scheme == "https":
        return own_base()
    host = base.hostname or "localhost"
    return f"http://{bracketed(host)}:{settings.EVENT_PORT}"


def is_own(url: str) -> bool:
    """Whether ``url`` leads to this installation: our base address, or a port of ours on loopback."""
    parts = urlsplit(url)
    try:
        port = port_of(parts)
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in DEFAULT_PORTS or not host or parts.username:
        return False
    base = urlsplit(own_base())
    own_ports = {settings.SERVED_PORT, settings.EVENT_PORT}
    if host == (base.hostname or "").lower() and port in {port_of(base), *own_ports}:
        return True
    return is_loopback(host) and port in own_ports


def seen_from(url: str, *, host: str) -> str | None:
    """How a page that is open under ``host`` (a Host header) reaches the origin of our own ``url``.

    "" is the page's own origin; the collector's port is ``//name:port``, with the page's name, because a
    browser elsewhere reaches us under that one only. None where ``url`` is not ours.
    """
    if not is_own(url):
        return None
    if port_of(urlsplit(url)) != settings.EVENT_PORT or settings.EVENT_PORT == settings.SERVED_PORT:
        return ""
    return f"//{bracketed(urlsplit(f'//{host}').hostname or '')}:{settings.EVENT_PORT}"


def port_of(parts: SplitResult) -> int | None:
    """The port of an address, the scheme's default included; raises ValueError when it is none."""
    return parts.port or DEFAULT_PORTS.get(parts.scheme)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

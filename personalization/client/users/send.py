"""Calls of the user API: send attributes, ask for them, have a user forgotten. Reference section 7, 6.4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from config.http import Answer
from config.site_access import SiteAccess
from personalization.client import gateway
from personalization.client.users import WrongAttribute

XML = "text/xml"
SECONDS = 30.0
# What may not stand in a part of a path, encoded or not.
FORBIDDEN = re.compile(r"[\s/\\\x00-\x1f\x7f]")


def send(site: SiteAccess, document: bytes, *, source: str) -> int:
    """Post one document of users; return the engine's status. Raises ``EngineError``."""
    url = f"{base(site.user_endpoint, site)}/{segment('source', source)}/user"
    return call("POST", url, site=site, content=document).status


def fetch(site: SiteAccess, ids: Sequence[str], *, source: str) -> bytes:
    """What the engine knows of these users under a source, as XML. Raises ``EngineError``."""
    url = f"{base(site.user_endpoint, site)}/{segment('source', source)}/user/{segments(ids)}"
    return call("GET", url, site=site).body


def forget(site: SiteAccess, ids: Sequence[str]) -> int:
    """Have the engine forget these users, events included (W-50). Raises ``EngineError``."""
    return call("DELETE", f"{base(site.admin_endpoint, site)}/user/{segments(ids)}", site=site).status


def base(endpoint: str, site: SiteAccess) -> str:
    return f"{endpoint.rstrip('/')}/api/{site.customer_id}"


def call(method: str, url: str, *, site: SiteAccess, content: bytes = b"") -> Answer:
    return gateway.call(
        method,
        url,
        customer_id=site.customer_id,
        license_key=site.license_key,
        budget=SECONDS,
        content=content,
        content_type=XML,
        accept=XML,
    )


def segments(ids: Sequence[str]) -> str:
    return ",".join(segment("user id", one) for one in ids)


def segment(what: str, value: str) -> str:
    """A part of the path. Raises :class:`WrongAttribute` for one that no engine takes."""
    if value in ("", ".", "..") or FORBIDDEN.search(value) or "," in value:
        raise WrongAttribute(
            f"A {what} needs at least one character and no blank, slash, backslash or comma; "
            f"got {value[:80]!r}."
        )
    return quote(value, safe="")

"""Fetching documents from the site that sent a notification.

The addresses come from outside, so they may only lead to the public network, except where the operator has
named the host: in the sites file, as this installation, or in ``LODESTAR_OUTBOUND_ALLOW`` (decisions,
"Outgoing calls to private addresses").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from config import http
from personalization.contracts import REST_PREFIXES, Credentials
from personalization.server.sites import sites_of

MAX_FILE_BYTES = 64 * 1024 * 1024
SECONDS_PER_FILE = 120.0
# Statuses after which the same request may succeed later.
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
GONE = {204, 410}


class FetchFailed(Exception):
    """The site did not give the document; trying again later may help."""


class FetchRefused(Exception):
    """The site, or our own rules, said no; trying again cannot help."""


@dataclass(frozen=True, kw_only=True)
class Presented:
    """What goes into the one Authorization header: a bearer token, or login and password."""

    basic: tuple[str, str] | None = None
    bearer: str = ""


def for_files(credentials: Credentials | None) -> Presented:
    """Export files are opened with the login of the run; a token serves where there is none."""
    if credentials and credentials.login:
        return Presented(basic=(credentials.login, credentials.password or ""))
    return Presented(bearer=(credentials.token or "") if credentials else "")


def for_items(credentials: Credentials | None) -> Presented:
    """Single items are opened with the token; older clients only send a login."""
    if credentials and credentials.token:
        return Presented(bearer=credentials.token)
    return for_files(credentials)


def document(url: str, *, customer_id: str, presented: Presented, accept: str) -> Any:
    """The JSON document at ``url``, or None where the site says that it is gone (204, 410).

    Raises :class:`FetchFailed` or :class:`FetchRefused`.
    """
    body = answer_body(url, customer_id=customer_id, presented=presented, accept=accept)
    return None if body is None else parsed(body, url)


def parsed(body: bytes, url: str) -> Any:
    """The JSON of an answer. Raises :class:`FetchRefused` where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise FetchRefused(f"{url} did not answer with JSON: {fault}.") from None


def answer_body(url: str, *, customer_id: str, presented: Presented, accept: str) -> bytes | None:
    """The bytes at ``url``; as :func:`document`, which reads them."""
    if http.is_own(url) and not is_content(url):
        # Asked by itself it would answer anything, in the name of whoever sent the notification.
        raise FetchRefused(f"{url} is an address of this installation, but not one of its content REST.")
    client = http.SafeClient(purpose="import of items", budget=SECONDS_PER_FILE, max_bytes=MAX_FILE_BYTES)
    try:
        answer = client.request(
            "GET",
            url,
            headers={"Accept": accept},
            basic=presented.basic,
            bearer=presented.bearer,
            trusted=is_trusted(url, customer_id=customer_id),
        )
    except (http.Refused, http.TooLarge) as fault:
        raise FetchRefused(f"{url} was not fetched: {fault}") from fault
    except http.OutgoingError as fault:
        raise FetchFailed(f"{url} could not be fetched: {fault}") from fault
    return body_of(answer, url)


def body_of(answer: http.Answer, url: str) -> bytes | None:
    if answer.status in GONE:
        return None
    if answer.status == 200:
        return answer.body
    sentence = f"{url} answered {answer.status}."
    if answer.status in TEMPORARY:
        raise FetchFailed(sentence)
    raise FetchRefused(sentence)


def is_trusted(url: str, *, customer_id: str) -> bool:
    """Whether the operator has named this address's origin, so that it may be a private one."""
    if http.is_own(url):
        return True
    named = [site.host_uri for site in sites_of(customer_id)]
    return origin(url) in {origin(one) for one in named}


def portable(url: str) -> str:
    """An address of this installation without its host: it may be served on another port by the time the
    job runs, as after an export that was written while no server was there. Others stay as they are."""
    parts = urlsplit(url)
    return parts._replace(scheme="", netloc="").geturl() if http.is_own(url) and parts.path else url


def absolute(uri: str) -> str:
    """The reverse of :func:`portable`, as this installation is served now."""
    return http.own_base() + uri if uri.startswith("/") else uri


def is_content(url: str) -> bool:
    """Whether the address lies below a prefix of the content REST."""
    path = urlsplit(url).path
    return path.startswith(tuple(f"{prefix}/" for prefix in REST_PREFIXES)) and ".." not in path


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    try:
        return parts.scheme, (parts.hostname or "").lower(), parts.port or default
    except ValueError:
        return "", url, None

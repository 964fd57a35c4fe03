"""Calling a receiver over HTTP, and what its answer means (reference `cdp.md` 4.3)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic_core import PydanticCustomError

from cdp.activations.targets.base import Broken, Later
from config.http import Answer, OutgoingError, Refused, SafeClient
from config.http.addresses import parts_of
from config.http.own import is_loopback

SECONDS = 10.0
MOST_DETAIL = 200
CLIENT = SafeClient(purpose="activation", budget=SECONDS, max_bytes=1024 * 1024)
SLOW_DOWN = 429


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], basic: tuple[str, str] | None = None
) -> Answer:
    """The answer with its 2xx. Raises :class:`Later` and :class:`Broken`."""
    sent = {"Content-Type": "application/json", **headers}
    try:
        answer = CLIENT.request("POST", url, content=body, headers=sent, basic=basic)
    except Refused as refusal:
        raise Broken(str(refusal)) from None
    except OutgoingError as fault:
        raise Later(str(fault)) from None
    if answer.ok:
        return answer
    reason = words(answer)
    if answer.status == SLOW_DOWN or answer.status >= 500:
        raise Later(reason, seconds=answer.retry_after(), status=answer.status)
    raise Broken(reason, status=answer.status)


def words(answer: Answer) -> str:
    """A refusal as a sentence, with what the receiver said of it."""
    known = {
        401: "The credentials are wrong",
        403: "The receiver does not let these credentials in",
        404: "Nothing takes activations at this address",
        422: "The receiver does not take the request",
        429: "The receiver asks to slow down",
    }
    said = known.get(answer.status, "The receiver did not take the request")
    if 300 <= answer.status < 400:
        said = "The address leads elsewhere; enter the one that it leads to"
    return f"{said} (status {answer.status}){detail(answer)}."


def detail(answer: Answer) -> str:
    """``error.message`` of the answer, as ours and many others have it."""
    error = document(answer).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return f": {message.strip().rstrip('.')[:MOST_DETAIL]}" if isinstance(message, str) else ""


def document(answer: Answer) -> dict[str, Any]:
    """The body, {} where it is no JSON object."""
    with contextlib.suppress(orjson.JSONDecodeError):
        found = orjson.loads(answer.body)
        if isinstance(found, dict):
            return found
    return {}


def address(url: str, *, code: str) -> str:
    """An address that somebody typed: https, or http to this machine. For validators of pydantic."""
    try:
        scheme, host, _port = parts_of(url)
    except Refused as refusal:
        raise PydanticCustomError(code, "{reason}", {"reason": str(refusal).rstrip(".")}) from None
    if urlsplit(url).fragment:
        raise PydanticCustomError(code, "the address must have no fragment (#)")
    if scheme != "https" and not is_loopback(host):
        raise PydanticCustomError(code, "the address must begin with https://, except for this machine")
    return url

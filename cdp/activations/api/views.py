"""The membership API ``/api/v3/...``, for callers with the key of a CDP API activation (reference 4.8)."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cdp import answers
from cdp.activations import secrets
from cdp.activations.api import questions
from cdp.activations.api.questions import Cursor
from cdp.activations.models import AUDIENCE_PREFIX, ID_PREFIX, Activation
from cdp.audiences.models import Audience
from config.sealing import Unsealable

logger = logging.getLogger("cdp")

MOST_DIGITS = 18  # of a key: any such number fits into a column
CURSOR = re.compile(r"\.".join([rf"([0-9]{{1,{MOST_DIGITS}}})"] * 3))
READING = ("GET", "HEAD")

Answerer = Callable[..., dict[str, Any]]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def question(answer: Answerer) -> Callable[..., HttpResponse]:
    """A view of what ``answer`` says to the activation whose key the caller has."""

    @csrf_exempt
    @wraps(answer)
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        began = time.perf_counter()
        try:
            if request.method not in READING:
                raise Refused(405, "method_not_allowed", "Use GET.")
            response = json(answer(request, known(request), **parts))
        except Refused as refusal:
            response = refused(refusal)
        # Never the query: it names people.
        logger.debug(
            "membership API: %s for %s -> %d in %.1f ms",
            answer.__name__,
            request.headers.get("x-activation-id", "-")[:24],
            response.status_code,
            (time.perf_counter() - began) * 1000,
        )
        return response

    return view


def json(document: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = answers.json(document, status=status)
    response["Cache-Control"] = "no-store"
    return response


def refused(refusal: Refused) -> HttpResponse:
    response = json({"error": {"code": refusal.code, "message": str(refusal)}}, status=refusal.status)
    if refusal.status == 405:
        response["Allow"] = ", ".join(READING)
    return response


def known(request: HttpRequest) -> Activation:
    """The active activation of the headers; an unknown id and a wrong key are answered alike."""
    digits = request.headers.get("x-activation-id", "").removeprefix(ID_PREFIX)
    key = request.headers.get("x-api-key", "")
    if is_number(digits) and key:
        rows = Activation.objects.filter(kind="cdp_api", state=Activation.State.ACTIVE)
        found = rows.select_related("account").filter(pk=int(digits)).first()
        if found is not None and has_key(found, key):
            return found
    raise Refused(
        401,
        "unauthorized",
        "Send the headers x-activation-id and x-api-key of an active activation of the kind CDP API.",
    )


def is_number(text: str) -> bool:
    """Python itself refuses to read thousands of digits, so their count is asked first."""
    return len(text) <= MOST_DIGITS and text.isascii() and text.isdigit()


def has_key(activation: Activation, key: str) -> bool:
    try:
        return secrets.matches(activation, key)
    except Unsealable:
        logger.error("The key of activation %s cannot be decrypted; make a new one.", activation.public_id)
        return False


@question
def memberships(request: HttpRequest, activation: Activation, kind: str) -> dict[str, Any]:
    require_kind(activation, kind)
    value = request.GET.get("identifierValue")
    if value is None:
        raise Refused(400, "missing_parameter", "The parameter identifierValue is missing.")
    return {"memberships": questions.memberships(activation, kind, value)}


@question
def identifiers(_request: HttpRequest, activation: Activation) -> dict[str, Any]:
    return {"identifiers": [{"name": name} for name in questions.kinds(activation)]}


@question
def audiences(_request: HttpRequest, activation: Activation) -> dict[str, Any]:
    rows = questions.audiences_of(activation).order_by("pk")
    return {"audiences": [questions.described(one) for one in rows]}


@question
def membership(request: HttpRequest, activation: Activation, audience: str) -> dict[str, Any]:
    after, limit = number(request, "after", default=0), size_of_page(request)
    return questions.profiles(activation, visible(activation, audience), after=after, limit=limit)


@question
def changes(request: HttpRequest, activation: Activation, kind: str) -> dict[str, Any]:
    require_kind(activation, kind)
    limit = size_of_page(request)
    page = questions.changes(activation, kind, since=cursors_of(request), limit=limit)
    return {"changes": page.changes, "next": written(page.cursors), "hasMore": page.has_more}


def require_kind(activation: Activation, kind: str) -> None:
    if kind not in questions.kinds(activation):
        raise Refused(
            404, "unknown_identifier_type", f"The account has no active person identifier {kind[:64]!r}."
        )


def visible(activation: Activation, text: str) -> Audience:
    digits = text.removeprefix(AUDIENCE_PREFIX)
    rows = questions.audiences_of(activation)
    found = rows.filter(pk=int(digits)).first() if is_number(digits) else None
    if found is None:
        raise Refused(404, "unknown_audience", f"The activation has no audience {text[:64]!r}.")
    return found


def number(request: HttpRequest, name: str, *, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not is_number(text):
        rule = f"must be a whole number from 0 on, of at most {MOST_DIGITS} digits"
        raise Refused(400, "bad_parameter", f"{name} {rule}; got {text[:40]!r}.")
    return int(text)


def size_of_page(request: HttpRequest) -> int:
    limit = number(request, "limit", default=questions.MOST)
    if not 1 <= limit <= questions.MOST:
        raise Refused(400, "bad_parameter", f"limit must lie between 1 and {questions.MOST}; got {limit}.")
    return limit


def cursors_of(request: HttpRequest) -> dict[int, Cursor]:
    """What ``next`` of an earlier answer said, as ``since``."""
    text = request.GET.get("since", "")
    found: dict[int, Cursor] = {}
    for part in text.split("_") if text else ():
        match = CURSOR.fullmatch(part)
        if match is None:
            raise Refused(
                400,
                "bad_parameter",
                f"since must be the value of next in an earlier answer; got {text[:40]!r}.",
            )
        audience, sequence, row = (int(one) for one in match.groups())
        found[audience] = Cursor(sequence, row)
    return found


def written(cursors: dict[int, Cursor]) -> str:
    return "_".join(f"{audience}.{at.sequence}.{at.row}" for audience, at in sorted(cursors.items()))

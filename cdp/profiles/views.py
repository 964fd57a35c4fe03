"""``POST /gdpr/<account>/DeleteUser``: a system of the customer's wants a person erased (`cdp.md` 6.4)."""

from __future__ import annotations

import logging
import time
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cdp import answers, guesses
from cdp.profiles import accounts, identifiers, subject
from cdp.profiles.identifiers import BadIdentifier
from cdp.profiles.models import Account, ErasureTicket
from cdp.profiles.names import Named

logger = logging.getLogger("cdp")

MOST_BYTES = 64 * 1024
FIELD = "UserId"


class Refused(Exception):
    """The request is not what it should be."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@csrf_exempt
def delete_user(request: HttpRequest, number: int) -> HttpResponse:
    """202 and a ticket once it is written down; the worker does it."""
    began = time.perf_counter()
    try:
        ticket = taken(request, number)
        response = answer({"ticket": str(ticket.ticket), "state": "queued"}, status=202)
    except Refused as refusal:
        response = refused(refusal)
    answers.note(logger, request, f"DeleteUser: account {number}", response.status_code, began=began)
    return response


def refused(refusal: Refused) -> HttpResponse:
    response = answer({"error": {"code": refusal.code, "message": str(refusal)}}, status=refusal.status)
    if refusal.status == 405:
        response["Allow"] = "POST"
    elif refusal.status == 429:
        response["Retry-After"] = str(guesses.RETRY_SECONDS)
    return response


def taken(request: HttpRequest, number: int) -> ErasureTicket:
    if request.method != "POST":
        raise Refused(405, "method_not_allowed", "Use POST.")
    account = known(request, number)
    return subject.ask(account, [user_of(body_of(request))]).ticket


def known(request: HttpRequest, number: int) -> Account:
    """Who has no key does not learn which accounts there are."""
    name = f"gdpr {number}"
    if guesses.is_exhausted(request, name=name):
        raise Refused(429, "too_many_failures", "Too many wrong API keys; wait a minute.")
    account = accounts.find(number)
    if account is not None and accounts.accepts(account, request.headers.get("x-api-key", "")):
        return account
    guesses.count(request, name=name)
    raise Refused(401, "unauthorized", "Send the account's API key in the header x-api-key.")


def body_of(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MOST_BYTES:
        raise Refused(413, "too_large", f"At most {MOST_BYTES} bytes are taken; got {length}.")
    return request.read(MOST_BYTES)


def user_of(body: bytes) -> Named:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Refused(400, "bad_json", f"The body is not valid JSON: {fault}.") from None
    if not isinstance(document, dict) or FIELD not in document:
        raise Refused(400, "bad_document", f'The body must be a JSON object, {{"{FIELD}": "14"}}.')
    try:
        text = identifiers.normal(identifiers.USER, document[FIELD])
    except BadIdentifier as fault:
        raise Refused(400, "bad_document", f"{FIELD} {fault}.") from None
    if identifiers.is_nobody(text):
        raise Refused(400, "bad_document", f"{FIELD} must name one person; nobody is called {text!r}.")
    return Named(identifiers.USER, text)


def answer(document: dict[str, Any], *, status: int) -> HttpResponse:
    response = answers.json(document, status=status)
    response["Cache-Control"] = "no-store"
    return response

"""The endpoints (reference `cdp.md` 6.2): pixel, first-party script, consent, public grammar."""

from __future__ import annotations

import logging
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cdp.tracking import (
    consents,
    credentials,
    destination,
    first_party,
    intake,
    message,
    people,
    segment,
    sent,
)
from cdp.tracking.destination import Destination
from cdp.tracking.intake import Sender
from cdp.tracking.message import Call
from cdp.tracking.models import Tally
from config.customers import signing
from config.middleware import raw_target
from personalization.client.visitor import CONSENT
from tracking.collector import answers, gate, path
from tracking.collector.answers import Answer
from tracking.fields import BadEvent, shown
from tracking.views import AWAY, rendered

logger = logging.getLogger("cdp")

PICTURE = Answer(
    200, "image/gif", b64decode("R0lGODlhAQABAPAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
)  # 43 bytes
View = Callable[..., HttpResponse]


def endpoint(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Answers as the event intake does: readable refusals, and nothing for caches to keep."""

    def wrap(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def logged(request: HttpRequest, **named: Any) -> HttpResponse:
            began = time.perf_counter()
            response = answered(request, **named)
            # Neither query nor address: they are people's.
            logger.debug(
                "tracking: %s of account %s -> %d in %.1f ms",
                view.__name__,
                named.get("account", "-"),
                response.status_code,
                (time.perf_counter() - began) * 1000,
            )
            return response

        def answered(request: HttpRequest, **named: Any) -> HttpResponse:
            headers = headers_of(request)
            try:
                if request.method == "OPTIONS":
                    return rendered(answers.preflight(", ".join((*methods, "OPTIONS"))))
                if request.method not in methods:
                    allow = ", ".join((*methods, "OPTIONS"))
                    raise BadEvent(
                        405,
                        f"method {shown(str(request.method))} is not allowed; use {methods[0]}",
                        allow=allow,
                    )
                return view(request, **named)
            except BadEvent as reason:
                return rendered(answers.refusal(reason, headers))
            except DatabaseError:
                return rendered(answers.refusal(AWAY, headers))

        return logged

    return wrap


def headers_of(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def now() -> int:
    return time.time_ns() // 1000


def json(document: Mapping[str, Any]) -> HttpResponse:
    return rendered(Answer(200, "application/json", orjson.dumps(document) + b"\n"))


@endpoint("GET", "HEAD")
def pixel(request: HttpRequest, account: int) -> HttpResponse:
    """``GET /t/<account>.rsa?p1=...``: one event; 204, or a picture where one is asked for."""
    headers, at = headers_of(request), now()
    target = raw_target(request)
    if len(target) > path.LONGEST_TARGET:
        raise path.too_long(len(target))
    path.refuse_forbidden_bytes(target)
    call, params = sent.from_query(path.pairs(target.partition(b"?")[2]), now=at)
    page = params.get("url") or headers.get("referer", "") or f"//{request.get_host()}"
    found = destination.of_account(account, customer_id=params.get("customer", ""), page=page)
    admit(found, headers)
    vouched(found, call, params.get("usersig", ""))
    intake.examined([found], call)
    if request.method == "GET":
        intake.take([found], [call], sender_of(request, headers, decision(params)), now=at)
    picture = headers.get("accept", "").startswith("image/")
    return rendered(PICTURE if picture else answers.NO_CONTENT)


def admit(found: Destination, headers: Mapping[str, str]) -> None:
    """The customer's own rules on who may send its events."""
    if found.customer is not None:
        gate.admit(found.customer, headers)


def vouched(found: Destination, call: Call, signature: str) -> None:
    """Raise :class:`BadEvent` 403 for an account that the sender may not speak for."""
    customer = found.customer
    if customer is None or not customer.gate.signed_users:
        return
    if not signing.may_speak(customer, call.ruid, signature):
        raise BadEvent(403, f"ruid must come with {signing.PARAMETER}, the site's signature of this very id")
    if signing.needs_signature(call.coid):
        raise BadEvent(403, "coid must be the random id of a visitor; accounts are not joined")


def sender_of(request: HttpRequest, headers: Mapping[str, str], consent: str) -> Sender:
    """``consent``: as the request says it; else the decision that the page's own visitor has taken."""
    refused = request.COOKIES.get(CONSENT) == "0"
    said = "0" if refused else consent or request.COOKIES.get(CONSENT, "")
    return Sender(headers=headers, consent=said, address=str(request.META.get("REMOTE_ADDR", "")))


def decision(params: Mapping[str, str]) -> str:
    said = params.get("consent", "")
    if said not in ("", "0", "1"):
        raise BadEvent(400, f"consent must be 1 (the person consented) or 0; got {shown(said)}")
    return said


@endpoint("POST")
def hybrid(request: HttpRequest) -> HttpResponse:
    """``POST /raptor/track``: events of the site's own pages, completed with cookie, session and account."""
    first_party.refuse_others(request)
    headers, at = headers_of(request), now()
    offered, is_batch = sent.documents(request.body)
    found = first_party.destinations(request)
    who = first_party.visitor(request)
    consents_said: set[str] = set()

    def read(document: dict[str, Any]) -> list[Call]:
        call, said = sent.from_document(document, now=at)
        call = first_party.completed(call, who)
        if not who.account:
            vouched(found[0], call, said.get("usersig", ""))
        consents_said.add(decision(said))
        return [intake.examined(found, call)]

    calls, rejected = judged(offered, read, is_batch=is_batch)
    sender = sender_of(request, headers, together(consents_said))
    stored = intake.take(found, calls, sender, now=at) if calls else 0
    if not stored and not rejected:
        return rendered(answers.NO_CONTENT)
    response = json({"stored": stored, "rejected": rejected})
    if stored and not intake.opts_out(found[0], headers):
        first_party.remember(request, response, who)
    return response


def judged(
    offered: list[object], read: Callable[[dict[str, Any]], list[Call]], *, is_batch: bool
) -> tuple[list[Call], list[dict[str, Any]]]:
    """The calls, and index and reason of each document of a batch that is wrong. Raises for a single one."""
    calls: list[Call] = []
    rejected: list[dict[str, Any]] = []
    for place, document in enumerate(offered):
        try:
            calls += read(sent.as_object(document, in_batch=is_batch))
        except BadEvent as reason:
            if not is_batch:
                raise
            rejected.append({"index": place, "reason": reason.message})
    return calls, rejected


def together(consents_said: set[str]) -> str:
    """What a batch says of consent: a refusal counts for all of it, consent only where each says so."""
    if "0" in consents_said:
        return "0"
    return "1" if consents_said == {"1"} else ""


@endpoint("POST")
def consent(request: HttpRequest, account: int) -> HttpResponse:
    """``POST /t/<account>/consent``: what a visitor decided."""
    headers, at = headers_of(request), now()
    found = destination.of_account(account)
    purposes, coid = consents.read(request.body, opted_out=headers.get("sec-gpc", "").strip() == "1")
    if not coid:
        first_party.refuse_others(request)
        coid = first_party.coid_of(request)
    coid = people.device("coid", coid)
    call = Call(kind=message.CONSENT, ts=at, event_id=sent.event_id(""), coid=coid, purposes=purposes)
    response = rendered(answers.NO_CONTENT)
    if consents.is_withdrawal(purposes):
        if coid:
            consents.withdraw(found.account, call)
        first_party.forget(request, response)
    elif not coid:
        raise BadEvent(400, "coid must be given, in the body or by the visitor cookie")
    else:
        intake.take([found], [call], Sender(headers=headers, consent="1"), now=at)
    return response


@endpoint("POST")
def public(request: HttpRequest, call: str) -> HttpResponse:
    """``POST /v1/<call>``: the public grammar, from servers."""
    if call not in (*segment.CALLS, "batch"):
        raise BadEvent(404, f"call {shown(call)} not found; known are {', '.join(segment.CALLS)} and batch")
    at = now()
    offered, is_batch = sent.documents(request.body)
    if is_batch != (call == "batch"):
        raise BadEvent(400, "a list of calls must be sent to /v1/batch, one call to the address of its name")
    found = credentials.destinations(request, orjson.loads(request.body))
    without: list[Call] = []

    def read(document: dict[str, Any]) -> list[Call]:
        name = sent.scalar("type", document.get("type")) if is_batch else call
        made = [intake.examined(found, one) for one in segment.calls_of(name, document, now=at)]
        if intake.withheld(found[0], segment.consent_of(document)):
            without.extend(made)
            return []
        return made

    calls, rejected = judged(offered, read, is_batch=is_batch)
    if without:
        intake.left_out(found[0], len(without), Tally.What.WITHHELD)
    if calls:
        intake.take(found, calls, Sender(headers={}, consent="1"), now=at)
    return json({"success": True, "rejected": rejected})

"""``GET /api/v2/<customer>/<user>/<scenario>[.json|.jsonp]`` (engine-protocol.md 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from config.customers import signing
from config.customers.directory import CustomerAccount
from config.middleware import raw_target
from personalization.server import freshness, plans
from personalization.server.api.answers import Refusal, known_customer
from personalization.server.api.document import Shape, document
from personalization.server.api.parameters import asked
from personalization.server.recommend import Answer, NothingToGoOn, recommend
from personalization.server.statistics import calls
from tracking.collector import path
from tracking.fields import BadEvent

FORMATS = ("json", "jsonp")
# An answer without a user's history stays the same until something is built or imported.
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=24)


def recommendations(
    request: HttpRequest, customer_id: str, user: str, scenario: str, extension: str | None = None
) -> HttpResponse:
    """Today's version of the answer."""
    extension = FORMATS[0] if extension is None else extension
    return answered(request, customer_id, user, scenario, extension, formats=FORMATS, write=written)


def answered(
    request: HttpRequest,
    customer_id: str,
    user: str,
    scenario: str,
    extension: str,
    *,
    formats: tuple[str, ...],
    write: Callable[[Answer, Shape, str], HttpResponse],
) -> HttpResponse:
    """Find, check, recommend, answer; errors are sentences with the status of 3.4."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        account = known_customer(customer_id)
        check_format(scenario, extension, formats)
        check_user(request, user)
        check_signature(account, user, request.GET.get(signing.PARAMETER, ""))
        plan = plans.plan_for(account.customer_id, scenario, user)
        given = asked(
            request.GET,
            plan=plan,
            customer_id=account.customer_id,
            user=user,
            alphanumeric=account.alphanumeric_items,
        )
        answer = recommend(given.request, plan)
    except plans.UnknownScenario as fault:
        return Refusal(404, str(fault)).response()
    except NothingToGoOn:
        return Refusal(
            409,
            f"The scenario {scenario} needs a context: send contextitems, or a user with a history.",
        ).response()
    except Refusal as refusal:
        return refusal.response()
    calls.board.count(account.customer_id, plan.identifier, (one.model.identifier for one in answer.items))
    # While two scenarios are compared nobody keeps an answer of one of them.
    answer.personal |= plans.plan_of(account.customer_id, scenario).tested is not None
    response = write(answer, Shape(given, alphanumeric=account.alphanumeric_items), extension)
    response["X-Content-Type-Options"] = "nosniff"
    # Pages of the customer's site ask from other origins; the answer holds no credentials.
    response["Access-Control-Allow-Origin"] = "*"
    if account.gate.signed_users and signing.needs_signature(user):
        response["Cache-Control"] = "private, no-store"
        return response
    return cached(request, response, answer, customer_id=account.customer_id)


def check_signature(account: CustomerAccount, user: str, signature: str) -> None:
    if not signing.may_speak(account, user, signature):
        raise Refusal(
            403, f"The user id must come with {signing.PARAMETER}, the site's signature of this very id."
        )


def check_format(scenario: str, extension: str, formats: tuple[str, ...]) -> None:
    if extension not in formats:
        known = " or ".join(f"{scenario[:64]}.{one}" for one in formats)
        raise Refusal(404, f"Recommendations come as {known}; there is no format {extension[:16]!r}.")


def check_user(request: HttpRequest, user: str) -> None:
    """The rules of the event intake: one person must not be two, or two one, to the engine."""
    target = raw_target(request).partition(b"?")[0]
    try:
        path.refuse_forbidden_bytes(target)
        # Django's reading keeps bytes that are no UTF-8 as they were escaped.
        path.decode(target, "the user id")
    except BadEvent as fault:
        raise Refusal(fault.status, f"{fault.message[0].upper()}{fault.message[1:]}.") from None
    if len(user.encode()) > 1024:
        raise Refusal(400, f"The user id must be at most 1024 bytes long; got {len(user.encode())}.")


def written(answer: Answer, shape: Shape, extension: str) -> HttpResponse:
    raw = orjson.dumps(document(answer, shape))
    if extension == "jsonp":
        return as_script(raw, shape.callback)
    return HttpResponse(raw, content_type="application/json")


def as_script(raw: bytes, callback: str) -> HttpResponse:
    """JSON as a call of the page's function."""
    # The comment keeps old plug-ins from taking the answer for their own file format; the two
    # separators end lines in old JavaScript.
    safe = raw.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    script = b"/**/" + callback.encode() + b"(" + safe + b");"
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


def cached(request: HttpRequest, response: HttpResponse, answer: Answer, *, customer_id: str) -> HttpResponse:
    """Add Last-Modified and Expires (3.5), and answer 304 where nothing has changed."""
    now = datetime.now(UTC)
    response["Cache-Control"] = "private"
    if answer.personal:
        # The next click changes it: to be asked for again at once.
        response["Last-Modified"] = http_date(now.timestamp())
        response["Expires"] = http_date(now.timestamp())
        return response
    changed = min(now, max(answer.changed_at, freshness.items_changed_at(customer_id)))
    stays = min(max((now - changed) / 2, SHORTEST), LONGEST)
    response["Last-Modified"] = http_date(changed.timestamp())
    response["Expires"] = http_date((now + stays).timestamp())
    conditional = get_conditional_response(request, last_modified=int(changed.timestamp()), response=response)
    return response if conditional is None else conditional

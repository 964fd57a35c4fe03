"""``/cdp/api/audiences/...``: sizes while a rule is being written, and why somebody is in it or not.

For users of the back office with the permission to see audiences (reference `cdp.md` 3.4, 9.2).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.http import HttpRequest, HttpResponse

from cdp.answers import json
from cdp.audiences import explain as explaining
from cdp.audiences.changes import purpose_of
from cdp.audiences.conditions import moments
from cdp.audiences.conditions.faults import BadDefinition, Problem, shown
from cdp.audiences.faults import AudienceFault
from cdp.audiences.models import Audience
from cdp.audiences.preview import Preview, preview
from cdp.profiles import accounts, people
from cdp.profiles.models import Account, Profile

PERMISSION = "audiences.view_audience"
SEE_PEOPLE = "profiles.view_profile"  # values that decided a condition are of one person
MOST_BYTES = 256 * 1024
View = Callable[..., HttpResponse]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.problems = status, code, problems or []


def answering(method: str, *also: str) -> Callable[[View], View]:
    """For users who may see audiences and have the permissions ``also``; what the view raises becomes an
    answer in JSON."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> HttpResponse:
            try:
                admit(request, method, PERMISSION, *also)
                response = view(request, **parts)
            except Refused as refusal:
                response = refused(refusal)
            except BadDefinition as fault:
                response = refused(Refused(400, "bad_definition", str(fault), fault.problems))
            response["Cache-Control"] = "private, no-store"
            return response

        return answer

    return decorate


def admit(request: HttpRequest, method: str, *permissions: str) -> None:
    if request.method != method:
        raise Refused(405, "method_not_allowed", f"Use {method}.")
    user: Any = request.user
    if not user.is_authenticated:
        raise Refused(401, "unauthorized", "Log in to the back office.")
    for permission in permissions:
        if not user.has_perm(permission):
            raise Refused(403, "forbidden", f"This user lacks the permission {permission}.")


def refused(refusal: Refused) -> HttpResponse:
    error: dict[str, Any] = {"code": refusal.code, "message": str(refusal)}
    if refusal.problems:
        error["problems"] = [one.document() for one in refusal.problems]
    return json({"error": error}, status=refusal.status)


@answering("POST")
def preview_view(request: HttpRequest) -> HttpResponse:
    """``{definition, as_of?, account?, purpose?, audience?}`` -> the size of it and of each of its nodes.

    ``audience``: the identifier of the one it is to be the rule of, so that cycles are found.
    """
    body = body_of(request)
    account = account_of(body.get("account"))
    if "definition" not in body:
        raise bad("/definition", "definition is missing.")
    found = preview(
        account,
        body["definition"],
        as_of=as_of(body.get("as_of"), account),
        purpose=purpose(body.get("purpose")),
        identifier=text_of(body, "audience"),
    )
    return json(document_of(found))


def document_of(found: Preview) -> dict[str, Any]:
    return {
        "count": found.count,
        "total": found.total,
        "percent": found.percent,
        "as_of": moments.iso(found.as_of),
        "took_ms": found.took_ms,
        "per_node": found.per_node,
        "warnings": [one.document() for one in found.warnings],
    }


@answering("GET", SEE_PEOPLE)
def explain_view(request: HttpRequest, *, identifier: str) -> HttpResponse:
    """``?profile=<uuid>``, also ``account``, ``as_of`` -> each condition with what decided it."""
    uuid = uuid_of(request.GET.get("profile", ""))
    rows = Audience.objects.filter(identifier=identifier).select_related("account")
    if number := request.GET.get("account"):
        is_number = len(number) < 10 and number.isdecimal()
        rows = rows.filter(account=account_of(int(number) if is_number else number))
    audience, profile = pair_of(rows, uuid)
    found = explaining.explain(audience, profile, as_of=as_of(request.GET.get("as_of"), audience.account))
    return json(
        {
            "audience": audience.identifier,
            "profile": str(profile.uuid),
            "is": found.fits,
            "is_member": found.is_member,
            "as_of": moments.iso(found.as_of),
            "consent": found.consent,
            "conditions": found.tree.document(),
        }
    )


def pair_of(audiences: Any, uuid: UUID) -> tuple[Audience, Profile]:
    """The audience of the account that has the profile, also under the address of one that was merged."""
    known = list(audiences)
    if not known:
        raise Refused(404, "unknown_audience", "There is no such audience.")
    for audience in known:
        if profile := people.find_by_uuid(audience.account, uuid):
            return audience, profile
    raise Refused(404, "unknown_profile", f"There is no profile {uuid}.")


def body_of(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refused(415, "unsupported_media_type", "Send application/json.")
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise Refused(413, "too_large", f"At most {MOST_BYTES} bytes are taken.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Refused(400, "bad_json", f"The body is not valid JSON: {fault}.") from None
    if not isinstance(document, dict):
        raise Refused(400, "bad_json", "The body must be a JSON object.")
    return document


def bad(pointer: str, message: str) -> Refused:
    return Refused(400, "bad_value", message, [Problem("bad_value", pointer, message)])


def account_of(number: Any) -> Account:
    """The account; the only one if none is named."""
    if number is None:
        known = accounts.all_accounts()
        if len(known) == 1:
            return known[0]
        raise bad("/account", f"account must be named: there are {len(known)}.")
    found = None
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9:
        found = accounts.find(number)
    if found is None:
        raise bad("/account", f"account must be the number of one that there is; got {shown(number)}.")
    return found


def as_of(text: Any, account: Account) -> datetime | None:
    if text is None:
        return None
    try:
        return moments.parsed(text, ZoneInfo(account.time_zone))
    except (TypeError, ValueError, OverflowError):
        raise bad(
            "/as_of", f"as_of must be a date-time such as 2025-05-01T12:00:00Z; got {shown(text)}."
        ) from None


def purpose(text: Any) -> str:
    if text is not None and not isinstance(text, str):
        raise bad("/purpose", f"purpose must be a text; got {shown(text)}.")
    try:
        return purpose_of(text or "")
    except AudienceFault as fault:
        raise bad("/purpose", str(fault)) from None


def text_of(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise bad(f"/{key}", f"{key} must be a text; got {shown(value)}.")
    return value or ""


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad("/profile", f"profile must be the UUID of a profile; got {shown(text)}.") from None

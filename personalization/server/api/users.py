"""The user API: attributes in and out as XML, a user away. Reference `engine-protocol.md` 4."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from personalization.server import people
from personalization.server.api.answers import Refusal, authenticated
from personalization.server.api.documents import xml_body
from personalization.server.items.xml import attribute
from tracking.people.whom import NoSuchPerson

MAX_USERS = 10_000
MAX_IDS = 100
MAX_ATTRIBUTES = 200  # of a user
MAX_VALUE = 2000  # characters
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
ID = re.compile(r"[^\s/\\\x00-\x1f\x7f]{1,255}")
SOURCE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
FORMS = {
    "NUMERIC": re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?"),
    "DATE": "%Y-%m-%d",
    "DATETIME": "%Y-%m-%dT%H:%M:%S",
    "NOMINAL": None,
    "TEXT": None,
}
XML = "text/xml; charset=utf-8"


@csrf_exempt
def told(request: HttpRequest, customer_id: str, source: str) -> HttpResponse:
    """``POST /api/<customer>/<source>/user``: 200 once the attributes of all users are replaced, or none."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        account = authenticated(request, customer_id)
        users = read_users(xml_body(request, root="users"))
    except Refusal as refusal:
        return refusal.response()
    people.replace(account.customer_id, source=source_of(source), users=users)
    return HttpResponse(status=200)


@csrf_exempt
def shown(request: HttpRequest, customer_id: str, source: str, ids: str) -> HttpResponse:
    """``GET /api/<customer>/<source>/user/<ids>``: what is stored of them; 404 when that is nothing."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        account = authenticated(request, customer_id)
        every = "allSources" in request.GET and request.GET["allSources"].lower() in ("", "true", "1")
        lines = []
        for one in ids_of(ids):
            rows = people.known(account.customer_id, one, source="" if every else source_of(source))
            if rows:
                lines.append(user_line(one, rows, source=source))
        if not lines:
            raise Refusal(404, "No attributes of these users are stored.")
    except Refusal as refusal:
        return refusal.response()
    document = f'<?xml version="1.0"?>\n<users>{"".join(lines)}</users>\n'
    return HttpResponse(document, content_type=XML, headers={"Cache-Control": "private, no-store"})


@csrf_exempt
def forgotten(request: HttpRequest, customer_id: str, ids: str) -> HttpResponse:
    """``DELETE /api/<customer>/user/<ids>``: 202 once nothing is stored of them; the worker goes on."""
    if request.method != "DELETE":
        return HttpResponseNotAllowed(["DELETE"])
    try:
        account = authenticated(request, customer_id)
        for one in ids_of(ids):
            people.forget(account.customer_id, one)
    except NoSuchPerson as reason:
        return Refusal(400, str(reason)).response()
    except Refusal as refusal:
        return refusal.response()
    return HttpResponse(status=202)


def source_of(source: str) -> str:
    if not SOURCE.fullmatch(source):
        raise Refusal(400, f"A source has 1 to 64 letters, digits, dots and hyphens; got {source[:80]!r}.")
    return source


def ids_of(text: str) -> list[str]:
    ids = list(dict.fromkeys(text.split(",")))
    if len(ids) > MAX_IDS:
        raise Refusal(400, f"At most {MAX_IDS} users are answered at once; got {len(ids)}.")
    for one in ids:
        refuse_bad_id(one)
    return ids


def refuse_bad_id(one: str) -> None:
    if not ID.fullmatch(one):
        raise Refusal(400, f"A user id has 1 to 255 characters without blanks and slashes; got {one[:80]!r}.")


def read_users(root: Element) -> dict[str, people.Attributes]:
    """Every user with its attributes; of one that stands twice the last counts."""
    found: dict[str, people.Attributes] = {}
    for number, user in enumerate(root, 1):
        if number > MAX_USERS:
            raise Refusal(400, f"At most {MAX_USERS} users are taken at once.")
        if user.tag != "user":
            raise Refusal(400, f"Inside users stand user elements; got {user.tag[:80]!r}.")
        one = user.get("id", "")
        refuse_bad_id(one)
        given = user.findall("attributes/attribute")
        if len(given) > MAX_ATTRIBUTES:
            raise Refusal(400, f"User {number} has more than {MAX_ATTRIBUTES} attributes.")
        found[one] = [read_attribute(each, number) for each in given]
    return found


def read_attribute(given: Element, number: int) -> tuple[str, str, str]:
    key, kind, value = given.get("key", ""), given.get("type", "NOMINAL"), given.get("value")
    if not KEY.fullmatch(key):
        raise Refusal(400, f"User {number}: a key has 1 to 64 letters, digits, _ and -; got {key[:80]!r}.")
    if kind not in FORMS:
        raise Refusal(400, f"Wrong Attribute type. User {number}, {key}: {kind[:40]!r}.")
    if value is None or len(value) > MAX_VALUE or not has_form(value, FORMS[kind]):
        raise Refusal(
            400,
            f"User {number}, {key}: the value must be a {kind} of at most {MAX_VALUE} characters; "
            f"got {str(value)[:40]!r}.",
        )
    return key, kind, value


def has_form(value: str, form: Any) -> bool:
    if form is None:
        return True
    if isinstance(form, str):
        try:
            return datetime.strptime(value, form) is not None  # noqa: DTZ007 - the protocol has no zone
        except ValueError:
            return False
    return form.fullmatch(value) is not None


def user_line(raw: str, rows: list[Any], *, source: str) -> str:
    """A user; the source stands at the attributes of other sources than the asked one."""
    lines = "".join(
        f"<attribute key={attribute(key)} value={attribute(value)} type={attribute(kind)}"
        + (f" source={attribute(row.source)}" if row.source != source else "")
        + "/>"
        for row in rows
        for key, kind, value in row.attributes
    )
    return f"<user id={attribute(raw)}><attributes>{lines}</attributes></user>"

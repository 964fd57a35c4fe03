"""What the content REST answers with: items or an error. Reference `client-protocol.md` 4.4, 4.5."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from content.items.joined import Joined
from personalization import contracts, xml_form
from personalization.client import formats
from personalization.client.asked import BadRequest
from personalization.client.export.write import HEAD, TAIL
from personalization.client.formats import Format

View = Callable[..., HttpResponseBase]


def error(status: HTTPStatus, description: str) -> HttpResponse:
    """The error envelope of reference 4.5; :func:`endpoint` turns it into XML for who asks for that."""
    document = {
        "ErrorMessage": {
            "_media-type": contracts.ERROR_MEDIA_TYPE,
            "errorCode": status.value,
            "errorMessage": status.phrase,
            "errorDescription": description,
        }
    }
    response = ErrorMessage(document, status=status.value)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="personalization", Basic realm="personalization"'
    return response


class ErrorMessage(HttpResponse):
    """An error envelope that can still become XML."""

    def __init__(self, document: dict[str, Any], *, status: int) -> None:
        body = orjson.dumps(document)
        super().__init__(body, status=status, content_type=contracts.ERROR_MEDIA_TYPE)
        self.document = document

    def become_xml(self) -> None:
        self.content = xml_form.as_xml(self.document)
        self["Content-Type"] = formats.in_form(contracts.ERROR_MEDIA_TYPE, Format.XML)


def wrong_credentials() -> HttpResponse:
    return error(HTTPStatus.UNAUTHORIZED, "Access denied: wrong credentials")


def endpoint(view: View) -> View:
    """Read-only, without session or CSRF cookie; faults of the request become the error envelope."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **parts: str) -> HttpResponseBase:
        response = judged(view, request, parts)
        if isinstance(response, ErrorMessage) and formats.accepted(request) is Format.XML:
            response.become_xml()
        patch_vary_headers(response, ("Accept", "Authorization"))
        return response

    return guarded


def judged(view: View, request: HttpRequest, parts: dict[str, str]) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        response = error(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.")
        response["Allow"] = "GET, HEAD"
        return response
    try:
        return view(request, **parts)
    except BadRequest as fault:
        return error(HTTPStatus.BAD_REQUEST, str(fault))


def content_list(request: HttpRequest, bodies: Sequence[bytes]) -> HttpResponseBase:
    """200 with the items or 204 without a body; 406 when neither JSON nor XML is accepted.

    The answer has an ETag, and is 304 without a body for who holds that.
    """
    joined = b",".join(bodies)
    return items(request, joined, state=joined)


def items_as_stored(request: HttpRequest, stored: Joined) -> HttpResponseBase:
    """The same for items that the database has joined; its word for their state saves hashing them."""
    return items(request, stored.body, state=stored.state.encode())


def items(request: HttpRequest, joined: bytes, *, state: bytes) -> HttpResponseBase:
    """``joined``: items with commas between them; ``state`` is another for other items at an address."""
    form = formats.accepted(request)
    if form is None:
        return error(HTTPStatus.NOT_ACCEPTABLE, f"Items are sent as one of: {', '.join(formats.OFFERED)}.")
    if not joined:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    etag = quote_etag(hashlib.sha256(state + form.value.encode()).hexdigest()[:32])
    body = b"".join((HEAD, joined, TAIL))
    if form is Format.XML:
        body = xml_form.as_xml(orjson.loads(body))
    response = HttpResponse(body, content_type=formats.in_form(contracts.CONTENTLIST_MEDIA_TYPE, form))
    # To be kept by its caller only, and asked for again each time: rights may have been taken away.
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response

"""What the content REST answers with: items or an error. Reference `client-protocol.md` 4.4, 4.5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from personalization import contracts
from personalization.client.asked import BadRequest
from personalization.client.export.write import HEAD, TAIL

ERROR_MEDIA_TYPE = "application/vnd.ibexa.api.ErrorMessage+json"

View = Callable[..., HttpResponseBase]


def error(status: HTTPStatus, description: str) -> HttpResponse:
    """The error envelope of reference 4.5."""
    document = {
        "ErrorMessage": {
            "_media-type": ERROR_MEDIA_TYPE,
            "errorCode": status.value,
            "errorMessage": status.phrase,
            "errorDescription": description,
        }
    }
    response = HttpResponse(orjson.dumps(document), status=status.value, content_type=ERROR_MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="personalization", Basic realm="personalization"'
    return response


def wrong_credentials() -> HttpResponse:
    return error(HTTPStatus.UNAUTHORIZED, "Access denied: wrong credentials")


def endpoint(view: View) -> View:
    """Read-only, without session or CSRF cookie; faults of the request become the error envelope."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **parts: str) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            response = error(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.")
            response["Allow"] = "GET, HEAD"
            return response
        try:
            return view(request, **parts)
        except BadRequest as fault:
            return error(HTTPStatus.BAD_REQUEST, str(fault))

    return guarded


def content_list(bodies: Sequence[bytes]) -> HttpResponse:
    """200 with the items, each once, or 204 without a body."""
    if not bodies:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    joined = b",".join(dict.fromkeys(bodies))
    response = HttpResponse(HEAD + joined + TAIL, content_type=contracts.CONTENTLIST_MEDIA_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response

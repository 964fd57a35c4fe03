"""What every endpoint of the engine needs: plain sentences, basic authentication, body limits."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from config.customers import directory
from config.customers.directory import CustomerAccount
from personalization.basic_auth import basic_credentials

MAX_BODY_BYTES = 5 * 1024 * 1024
# A notification is four levels deep; far deeper documents only exist to exhaust somebody's stack.
MAX_DEPTH = 16


class Refusal(Exception):
    """An answer with an error status and a sentence; raised by the checks below, sent by the views."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence

    def response(self) -> HttpResponse:
        answer = HttpResponse(
            self.sentence + "\n", status=self.status, content_type="text/plain; charset=utf-8"
        )
        answer["X-Content-Type-Options"] = "nosniff"
        if self.status == 401:
            answer["WWW-Authenticate"] = 'Basic realm="Lodestar", charset="UTF-8"'
        return answer


def known_customer(customer_id: str) -> CustomerAccount:
    """The account, or a 404 for an id that is neither in the sites file nor in the table."""
    account = directory.find(customer_id)
    if account is None:
        raise Refusal(404, f"The customer {customer_id[:64]!r} is unknown.")
    return account


def authenticated(request: HttpRequest, customer_id: str) -> CustomerAccount:
    """The account whose id and license key the request presents as HTTP Basic credentials."""
    account = known_customer(customer_id)
    login, password = basic_credentials(request)
    if login != account.customer_id or not account.accepts(password):
        raise Refusal(
            401, f"Send the customer id {customer_id} and its license key as HTTP Basic credentials."
        )
    return account


def json_body(request: HttpRequest) -> Any:
    """The JSON document of the request, within the limits of size and depth."""
    if request.content_type != "application/json":
        raise Refusal(415, f"Send Content-Type: application/json; got {request.content_type!r}.")
    document = parsed(sized_body(request))
    if depth_exceeds(document, MAX_DEPTH):
        raise Refusal(400, f"The document is nested deeper than {MAX_DEPTH} levels.")
    return document


def sized_body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdigit():
        raise Refusal(411, "Send a Content-Length.")
    if int(length) > MAX_BODY_BYTES:
        raise Refusal(413, f"The body is {length} bytes long; at most {MAX_BODY_BYTES} are allowed.")
    return request.read(int(length))


def parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Refusal(400, f"The body is not valid JSON: {fault}.") from None


def depth_exceeds(document: Any, limit: int) -> bool:
    """Whether ``document`` nests deeper than ``limit``; walks level by level, never recursing."""
    level = [document]
    for _ in range(limit + 1):
        level = [child for node in level for child in children(node)]
        if not level:
            return False
    return True


def children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []

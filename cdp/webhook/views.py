"""``POST /cdp/webhook`` and the progress of a queued request (reference `cdp.md` 4.4)."""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError

from cdp import guesses
from cdp.answers import json, note
from cdp.configuration import Activation
from cdp.models import BulkBatch
from cdp.webhook import credentials, intake, signature
from cdp.webhook.credentials import Denied, Throttled
from cdp.webhook.intake import Refused
from cdp.webhook.message import Message, fault_of

logger = logging.getLogger("cdp.webhook")

MOST_BYTES = 5 * 1024 * 1024


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    """Actions of an activation: 200 when they are applied, 202 when they are stored for the worker."""
    began = time.perf_counter()
    seen: dict[str, Any] = {"outcome": "failed"}
    response = answered(request, seen)
    # Every request, without secrets and people.
    logger.debug(
        "webhook: request %s of client %s, %s actions -> %d %s in %d ms from %s",
        seen.get("request", "-"),
        seen.get("client", "-"),
        seen.get("actions", "-"),
        response.status_code,
        seen["outcome"],
        (time.perf_counter() - began) * 1000,
        request.META.get("REMOTE_ADDR", "-"),
    )
    response["Cache-Control"] = "no-store"
    return response


def answered(request: HttpRequest, seen: dict[str, Any]) -> HttpResponse:
    """The checks in the order of the reference."""
    try:
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "Use POST.")
        body = body_of(request)
        activation = known(request)
        seen["client"] = activation.client_id
        verify(request, body, activation)
        message = parsed(request, body)
        seen |= {"request": message.request_id, "actions": len(message.actions)}
        taken = intake.take(message, activation, digest=sha256(body).hexdigest())
    except Refused as refusal:
        seen["outcome"] = refusal.code
        return refused(refusal)
    # How it was handled: "processed", "queued" or "repeated".
    seen["outcome"] = "repeated" if taken.is_repetition else taken.answer["status"]
    response = json(taken.answer, status=taken.status)
    if taken.is_repetition:
        response["Idempotent-Replay"] = "true"
    return response


def body_of(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MOST_BYTES:
        raise Refused(413, "too_large", f"At most {MOST_BYTES} bytes are taken; got {length}.")
    return request.read(MOST_BYTES + 1)


def known(request: HttpRequest) -> Activation:
    try:
        return credentials.activation_of(request)
    except Denied:
        raise Refused(
            401, "unauthorized", "Send the client id and secret of an activation in the sites file."
        ) from None
    except Throttled:
        raise Refused(429, "too_many_failures", "Too many wrong credentials; wait a minute.") from None


def verify(request: HttpRequest, body: bytes, activation: Activation) -> None:
    """The signature, where the activation wants one."""
    if not activation.signing_secret:
        return
    try:
        signature.check(request.headers, body, secrets=activation.signing_secret, now=time.time())
    except signature.BadSignature as fault:
        raise Refused(401, "bad_signature", str(fault)) from None


def parsed(request: HttpRequest, body: bytes) -> Message:
    if request.content_type != "application/json":
        raise Refused(
            415, "unsupported_media_type", f"Send application/json; got {str(request.content_type)[:80]!r}."
        )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Refused(400, "bad_json", f"The body is not valid JSON: {fault}.") from None
    if not isinstance(document, dict):
        raise Refused(400, "bad_json", "The body must be a JSON object.")
    try:
        return Message.model_validate(document)
    except ValidationError as error:
        pointer, reason = fault_of(error)
        raise Refused(422, "bad_document", f"{pointer or '/'}: {reason}") from None


def refused(refusal: Refused, *, allow: str = "POST") -> HttpResponse:
    """``allow``: the methods that a 405 names."""
    response = json({"error": {"code": refusal.code, "message": str(refusal)}}, status=refusal.status)
    if refusal.status == 405:
        response["Allow"] = allow
    elif refusal.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="cdp"'
    elif refusal.status == 429:
        response["Retry-After"] = str(guesses.RETRY_SECONDS)
    return response


@csrf_exempt
def batch(request: HttpRequest, number: UUID) -> HttpResponse:
    """How far a queued request is, for the client that sent it."""
    began = time.perf_counter()
    response = progress(request, number)
    note(logger, request, f"webhook: batch {number}", response.status_code, began=began)
    return response


def progress(request: HttpRequest, number: UUID) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return refused(Refused(405, "method_not_allowed", "Use GET."), allow="GET, HEAD")
    try:
        activation = known(request)
    except Refused as refusal:
        return refused(refusal)
    row = BulkBatch.objects.filter(pk=number, client_id=activation.client_id).first()
    if row is None:
        return refused(Refused(404, "unknown_batch", "This client has no such batch."))
    counts = {name: getattr(row, name) for name in ("total", "applied", "unchanged", "skipped", "failed")}
    return json({"batch": str(row.pk), "state": row.state, **counts})

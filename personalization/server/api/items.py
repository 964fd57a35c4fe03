"""The item API: notifications in, one item out, one item away (engine-protocol.md 2.1, 2.6)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError

from personalization.contracts import MAX_ITEM_TYPE, Notification, validation_sentences
from personalization.server.api.answers import Refusal, authenticated, json_body
from personalization.server.items import notifications as intake
from personalization.server.items import store
from personalization.server.items.xml import items_document


@csrf_exempt
def notifications(request: HttpRequest, customer_id: str) -> HttpResponse:
    """``POST /api/<customer>/items``: 202 once every event is stored with its job."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        account = authenticated(request, customer_id)
        notification = read_notification(json_body(request))
        runs = intake.accept(account, notification)
    except Refusal as refusal:
        return refusal.response()
    except intake.BadNotification as fault:
        return Refusal(400, str(fault)).response()
    return JsonResponse({"transaction": runs[0].transaction, "imports": [run.pk for run in runs]}, status=202)


def read_notification(document: Any) -> Notification:
    try:
        return Notification.model_validate(document)
    except ValidationError as fault:
        raise Refusal(400, " ".join(validation_sentences(fault))) from None


@csrf_exempt
def item(request: HttpRequest, customer_id: str, item_type: str, item_id: str) -> HttpResponse:
    """``GET`` everything stored for an item as XML, or ``DELETE`` it (202, soon)."""
    if request.method not in ("GET", "HEAD", "DELETE"):
        return HttpResponseNotAllowed(["GET", "HEAD", "DELETE"])
    try:
        account = authenticated(request, customer_id)
        rows = stored_rows(account.customer_id, item_type, item_id, request.GET.get("lang", ""))
    except Refusal as refusal:
        return refusal.response()
    if request.method == "DELETE":
        intake.accept_removal(account, rows)
        return HttpResponse(status=202)
    return HttpResponse(items_document(rows), content_type="application/xml; charset=utf-8")


def stored_rows(customer_id: str, item_type: str, item_id: str, language: str) -> list[store.StoredItem]:
    digits = item_type.isascii() and item_type.isdigit() and len(item_type) <= 10
    if not digits or not 1 <= int(item_type) <= MAX_ITEM_TYPE:
        raise Refusal(
            400, f"itemtypeid must be a whole number from 1 to {MAX_ITEM_TYPE}; got {item_type[:80]!r}."
        )
    rows = store.find(customer_id, item_type=int(item_type), item_id=item_id, language=language)
    if not rows:
        of_language = f" in {language[:16]}" if language else ""
        raise Refusal(404, f"No item {item_id[:80]!r} of type {item_type}{of_language} is stored.")
    return rows

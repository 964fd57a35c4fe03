"""Items of the engine in the back office: finding one while something else is filled in."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from personalization.screens import access
from personalization.server.items import search
from personalization.server.models import StoredItem

OFFERED = 20


class ItemSearch(View):
    """Items whose id, name or attributes hold what was typed; each once, in its first language."""

    def get(self, request: HttpRequest) -> HttpResponse:
        customer_id = request.GET.get("customer", "")
        permissions = (
            access.VIEW_ITEMS,
            access.VIEW_SCENARIOS,
            access.CHANGE_SCENARIOS,
            access.CHANGE_MODELS,
        )
        if customer_id not in access.customer_ids(request.user, *permissions):
            raise PermissionDenied
        rows = StoredItem.objects.filter(customer_id=customer_id)
        text = request.GET.get("q", "")[:200]
        found = search.matching(rows, text) if text.strip() else rows.none()
        return JsonResponse({"items": offered(found)})


def offered(rows: Any) -> list[dict[str, str]]:
    by_key: dict[str, str] = {}
    for row in rows.order_by("item_type", "item_id", "language")[: 3 * OFFERED]:
        by_key.setdefault(f"{row.item_type}/{row.item_id}", search.name_of(row))
    return [{"value": key, "label": name or key} for key, name in list(by_key.items())[:OFFERED]]

"""Items of the engine in the back office: what is stored, and finding one while something else is filled in.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import IndexView, InspectView
from wagtail.permissions import register_permission_policy

from personalization.screens import access
from personalization.screens.lists import Lists
from personalization.screens.models import CustomerFilter
from personalization.screens.permissions import PerSite
from personalization.server.items import search
from personalization.server.models import StoredItem

OFFERED = 20
LONGEST_SEARCH = 200

# Items come from imports alone; nobody changes them by hand.
register_permission_policy(StoredItem, PerSite(StoredItem, "view"))


class ItemFilter(CustomerFilter):
    permissions: ClassVar[tuple[str, ...]] = (access.VIEW_ITEMS,)

    class Meta:
        model = StoredItem
        fields: ClassVar = ["customer_id", "item_type", "language"]


class ItemIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> QuerySet[StoredItem]:
        known = access.customer_ids(self.request.user, access.VIEW_ITEMS)
        return StoredItem.objects.filter(customer_id__in=known)

    @cached_property
    def is_searchable(self) -> bool:
        return True

    def search_queryset(self, queryset: QuerySet[StoredItem]) -> QuerySet[StoredItem]:
        return search.matching(queryset, (self.search_query or "")[:LONGEST_SEARCH])


class OneItem(InspectView):  # type: ignore[misc]
    """An item with all its attributes."""

    template_name = "personalization/items/item.html"

    def get_page_subtitle(self) -> str:
        return title_of(self.object)


def title_of(row: StoredItem) -> str:
    return search.name_of(row) or f"{row.item_type}/{row.item_id}"


class ItemScreens(Lists):
    model = StoredItem
    name = "personalization_items"
    url_prefix = "personalization/items"
    menu_label = _("Items")
    icon = "doc-full-inverse"
    add_to_admin_menu = False
    inspect_view_enabled = True
    index_view_class = ItemIndex
    inspect_view_class = OneItem
    inspect_template_name = OneItem.template_name
    filterset_class = ItemFilter
    ordering = ("customer_id", "item_type", "item_id", "language")
    exclude_form_fields = ("attributes",)
    list_display = (
        Column("title", label=_("Title"), accessor=title_of),
        Column("type_identifier", label=_("Item type")),
        Column("item_type", label=_("Item type ID"), sort_key="item_type"),
        Column("item_id", label=_("Item ID"), sort_key="item_id"),
        Column("language", label=_("Language"), sort_key="language"),
        Column("customer_id", label=_("Customer"), sort_key="customer_id"),
        DateColumn("updated_at", label=_("Last update"), sort_key="updated_at"),
    )

    def one_url_name(self) -> str | None:
        return str(self.get_url_name("inspect"))


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
        text = request.GET.get("q", "")[:LONGEST_SEARCH]
        found = search.matching(rows, text) if text.strip() else rows.none()
        return JsonResponse({"items": offered(found)})


def offered(rows: QuerySet[StoredItem]) -> list[dict[str, str]]:
    by_key: dict[str, str] = {}
    for row in rows.order_by("item_type", "item_id", "language")[: 3 * OFFERED]:
        by_key.setdefault(f"{row.item_type}/{row.item_id}", search.name_of(row))
    return [{"value": key, "label": name or key} for key, name in list(by_key.items())[:OFFERED]]

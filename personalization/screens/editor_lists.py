"""The items of a model that editors fill, recommended by hand or banned (`engine-protocol.md` 5.6)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from wagtail.admin import messages

from config.customers import directory
from personalization.screens.models import CHANGE, ModelPage
from personalization.server import editorial, model_changes
from personalization.server.items import search

Entry = tuple[str, str]


class ListItems(ModelPage):
    template_name = "personalization/models/list.html"
    actions = ("save",)
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    typed: list[Entry] | None = None

    def get_page_title(self) -> str:
        return gettext("Items of the list")

    def get_page_subtitle(self) -> str:
        return self.row.name

    def trail(self) -> list[dict[str, Any]]:
        url = reverse("personalization_model", args=[self.row.pk])
        return [*super().trail(), {"url": url, "label": self.row.name}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = model_changes.list_name(self.row)
        if not name:
            raise Http404("A model of this kind has no list.")
        stored = editorial.stored(self.row.customer_id, name) or []
        entries = self.typed if self.typed is not None else [(str(kind), item) for kind, item, _ in stored]
        return super().get_context_data(**kwargs) | {
            "model": self.row,
            "list_name": name,
            "entries": shown(self.row.customer_id, entries),
            "may_change": self.is_allowed(CHANGE),
            "search_url": f"{reverse('personalization_item_search')}?customer={self.row.customer_id}",
        }

    def do_save(self) -> HttpResponse:
        if not model_changes.list_name(self.row):
            raise Http404("A model of this kind has no list.")
        self.typed = [key_of(one) for one in self.request.POST.getlist("entry")]
        account = directory.find(self.row.customer_id)
        is_alphanumeric = account is not None and account.alphanumeric_items
        count = model_changes.save_list(self.row, self.typed, alphanumeric=is_alphanumeric)
        words = gettext("Saved: the list has %(count)d items; answers follow within a second.")
        messages.success(self.request, words % {"count": count})
        return redirect("personalization_model_list", self.row.pk)


def key_of(text: str) -> Entry:
    """Type and id of "38/4711"."""
    kind, _slash, item = text.strip().partition("/")
    return kind, item


def shown(customer_id: str, entries: list[Entry]) -> list[dict[str, Any]]:
    keys = {
        (int(kind), item) for kind, item in entries if kind.isascii() and kind.isdigit() and len(kind) < 11
    }
    rows = search.named(customer_id, keys) if keys else {}
    by_text = {(str(kind), item): row for (kind, item), row in rows.items()}
    found = []
    for entry in entries:
        row = by_text.get(entry)
        name = search.name_of(row) if row else ""
        found.append({"key": "/".join(entry), "name": name or "/".join(entry), "is_known": row is not None})
    return found

"""Receipts of erasures: what went where, and what is under way (docs/privacy.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.customers import reach
from tracking.models import Erasure
from tracking.people.places import places
from tracking.screens.pages import ERASE_PERSON, SEE_PERSON, SitesPage

PLACES = {
    "journal": _("events on their way into the database"),
    "events": _("events"),
    "logins": _("logins"),
    "lake": _("events in the archive"),
    "attributes": _("attributes that the engine was told"),
    "profiles": _("rows of devices in profiles"),
    "triggers": _("recipients of triggers, and what was written to them"),
}


def place_called(name: str) -> str:
    return str(PLACES.get(name, name))


def receipts(user: Any) -> Any:
    """Erasures of the customers for which somebody may erase, the newest first."""
    rows = Erasure.objects.order_by("-erased_at")
    if reach.sites(user, ERASE_PERSON) is None:
        return rows
    return rows.filter(customer_id__in=[one.customer_id for one in reach.customers(user, ERASE_PERSON)])


class Receipt(SitesPage):
    """What one erasure removed where, and what is under way. Who it was stands nowhere."""

    permission_required = ERASE_PERSON
    header_icon = "view"
    page_title = _("Receipt of an erasure")
    template_name = "tracking/receipt.html"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        *before, here = super().get_breadcrumbs_items()
        may_see = reach.anywhere(self.request.user, SEE_PERSON)
        between = [{"url": reverse("tracking_privacy"), "label": gettext("Privacy")}] if may_see else []
        return [*before, *between, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        erasure = receipts(self.request.user).filter(receipt=self.kwargs["receipt"]).first()
        if erasure is None:
            raise Http404
        return super().get_context_data(**kwargs) | {
            "erasure": erasure,
            "removed": list(removed(erasure)),
            "days": settings.TOMBSTONE_DAYS,
        }


def removed(erasure: Erasure) -> Iterator[tuple[str, int | None]]:
    """Place and how much went there; None where nobody has been yet."""
    names = [place.name for place in places()]
    for name in dict.fromkeys([*names, *erasure.counts]):
        if name in erasure.counts or erasure.finished_at is None:
            yield place_called(name), erasure.counts.get(name)

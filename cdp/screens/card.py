"""What is known of one person, and what is allowed (reference `cdp.md` 2.6, 6.3)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.profiles import by_hand, consent, people
from cdp.profiles.models import Account, Consent, Profile
from cdp.screens import access
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.people import CHANGE, ERASE, PersonFault, PersonPage, shown
from cdp.screens.sources import labels
from cdp.screens.timeline import Timeline, attributes_of

PER_PAGE = 50
MOST_CONSENTS = 50
ALL = "all"
SOURCE = "manual"
GRANT, WITHDRAW = "granted", "revoked"


class OnePerson(PersonPage):
    """A page of one person; addresses of those who were merged lead to whom they became."""

    @cached_property
    def profile(self) -> Profile:
        known = access.visible(Account.objects.all(), self.request.user, SEE_PEOPLE, account="")
        for account in known:
            if found := people.find_by_uuid(account, self.kwargs["uuid"]):
                return found
        raise Http404

    def whose(self) -> Account:
        return self.profile.account

    def subject(self) -> Profile:
        return self.profile

    def trail(self) -> list[dict[str, Any]]:
        trail = super().trail()
        if type(self) is not Card:
            url = reverse("cdp_profile", args=[self.profile.uuid])
            trail.append({"url": url, "label": gettext("Profile")})
        return trail

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "profile": self.profile,
            "may_change": self.is_allowed(CHANGE),
            "may_erase": self.is_allowed(ERASE),
        }

    def back(self) -> HttpResponse:
        return redirect("cdp_profile", self.profile.uuid)


class Card(OnePerson):
    """Names, attributes, audiences, consents, merges, and what happened."""

    template_name = "cdp/profiles/card.html"
    page_title = _("Profile")
    actions = ("consent",)
    action_permissions: ClassVar = {"consent": CHANGE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.profile
        return super().get_context_data(**kwargs) | {
            "names": [
                {"kind": one.kind, "text": shown(one.kind, one.sealed), "active": one.active}
                for one in row.identifiers.order_by("pk")
            ],
            "attributes": attributes_of(row),
            "page": Paginator(Timeline(row), PER_PAGE).get_page(self.request.GET.get("p")),  # type: ignore[arg-type] # a sequence in all but name
            "memberships": row.memberships.select_related("audience").order_by("audience__name"),
            "consents": self.consents(),
            "purposes": consent.PURPOSES,
            "merges": self.merges(),
            "may_see_audiences": self.is_allowed("audiences.view_audience"),
        }

    def consents(self) -> list[dict[str, Any]]:
        """Each purpose with what holds now, and all that was said."""
        said: dict[str, list[Consent]] = {one: [] for one in consent.PURPOSES}
        rows = list(self.profile.consents.order_by("-given_at", "-pk")[:MOST_CONSENTS])
        names = labels(self.profile.account, [row.source for row in rows if row.source])
        for row in rows:
            said.setdefault(row.purpose, []).append(row)
        return [
            {
                "purpose": purpose,
                "state": state_of(history),
                "history": [(row, names.get(row.source, "")) for row in history],
            }
            for purpose, history in said.items()
        ]

    def merges(self) -> list[dict[str, Any]]:
        rows = by_hand.merges_into(self.profile)
        names = labels(self.profile.account, [row.reason for row in rows])
        return [{"row": row, "reason": names[row.reason]} for row in rows]

    def do_consent(self) -> HttpResponse:
        status, purpose = self.request.POST.get("status", ""), self.request.POST.get("purpose", "")
        purposes = consent.PURPOSES if purpose == ALL else (purpose,)
        if status not in (GRANT, WITHDRAW) or not set(purposes) <= set(consent.PURPOSES):
            raise PersonFault(gettext("Choose a purpose, and whether it is granted or withdrawn."))
        if purpose == ALL and status == WITHDRAW:
            consent.withdraw(self.profile, source=SOURCE)
        else:
            for one in purposes:
                consent.record(self.profile, one, Consent.Status(status), source=SOURCE)
        messages.success(self.request, gettext("It is noted. Audiences follow at their next calculation."))
        return self.back()


def state_of(history: list[Consent]) -> str:
    """``history``: what was said to one purpose, the newest first."""
    if not history:
        return gettext("nothing was said")
    newest = history[0]
    if newest.expires_at is not None and newest.expires_at <= timezone.now():
        return gettext("expired")
    return str(newest.get_status_display())

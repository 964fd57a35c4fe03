"""What a person may ask for: everything in a file, and to be forgotten (reference `cdp.md` 6.4)."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cdp.activations.people import still_there
from cdp.profiles import by_hand, export, subject
from cdp.profiles.models import Account, ErasureTicket
from cdp.profiles.subject import UnknownPerson
from cdp.profiles.telling import keys_of
from cdp.screens import access
from cdp.screens.card import OnePerson
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.people import ERASE, PersonFault, PersonPage

logger = logging.getLogger("cdp")

PER_PAGE = 50
PLACES = {
    "deliveries": _("rows in samples, in deliveries that wait or are held, and refused rows"),
    "audiences": _("memberships of audiences"),
    "sent": _("memberships that receivers are told to remove"),
    "profiles": _("profiles"),
    "identifiers": _("names"),
    "interactions": _("events in the timeline"),
    "anonymised": _("events kept anonymously"),
    "tracked_events": _("tracked events"),
    "tracked_logins": _("logins"),
    "tracked_journal": _("events on their way into the database"),
    "tracked_lake": _("events in the archive"),
    "tracked_profiles": _("rows of devices in profiles"),
}


class Download(OnePerson):
    """Everything that is known, as a file. It is made anew each time and kept nowhere."""

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        found = export.document(subject.of_profile(self.profile))
        self.log(self.profile, "export_person")
        logger.info("profile %s was exported by user %s", self.profile.uuid, request.user.pk)
        response = HttpResponse(export.in_json(found), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="person-{self.profile.uuid}.json"'
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response


class Erase(OnePerson):
    """Asks for a word to be typed: nobody brings the person back afterwards."""

    permission_required: Any = (SEE_PEOPLE, ERASE)
    template_name = "cdp/profiles/erase.html"
    page_title = _("Erase this person")
    actions = ("erase",)
    faults: ClassVar = (PersonFault, UnknownPerson)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "side": by_hand.side_of(self.profile),
            "audiences": self.profile.memberships.count(),
            "word": gettext("erase"),
        }

    def do_erase(self) -> HttpResponse:
        word = gettext("erase")
        if self.request.POST.get("word", "").strip().lower() != word.lower():
            words = gettext("Type the word %(word)s to erase this person. Nothing was erased.")
            raise PersonFault(words % {"word": word})
        self.concerned = ticket = subject.ask_of(self.profile).ticket
        return redirect("cdp_erasure", ticket.ticket)


class Erasures(PersonPage):
    permission_required: Any = ERASE
    template_name = "cdp/profiles/erasures.html"
    page_title = _("Erasures")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = access.visible(ErasureTicket.objects.all(), self.request.user, ERASE)
        rows = rows.select_related("account").order_by("-pk")
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("p"))
        return super().get_context_data(**kwargs) | {
            "page": page,
            "rows": [{"ticket": one, "state": state_of(one)} for one in page.object_list],
        }


class Receipt(PersonPage):
    """What one erasure removed where, and who still has to answer. Who it was stands nowhere."""

    permission_required: Any = ERASE
    template_name = "cdp/profiles/receipt.html"
    page_title = _("Receipt of an erasure")

    @cached_property
    def ticket(self) -> ErasureTicket:
        rows = access.visible(ErasureTicket.objects.select_related("account"), self.request.user, ERASE)
        found: ErasureTicket = get_object_or_404(rows, ticket=self.kwargs["ticket"])
        return found

    def whose(self) -> Account:
        return self.ticket.account

    def trail(self) -> list[dict[str, Any]]:
        return [*super().trail(), {"url": reverse("cdp_erasures"), "label": gettext("Erasures")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.ticket
        return super().get_context_data(**kwargs) | {
            "ticket": row,
            "state": state_of(row),
            "may_see_activations": self.is_allowed("activations.view_activation"),
            "counts": [
                {"place": PLACES.get(name, name), "count": count} for name, count in row.counts.items()
            ],
            "still": still_there(row.account, [digest for _kind, digest in keys_of(row)]),
            "names": len({key for key in keys_of(row) if not key[0].startswith("tracked:")}),
        }


def state_of(ticket: ErasureTicket) -> str:
    if ticket.finished_at is not None:
        return gettext("finished")
    if ticket.erased_at is not None:
        return gettext("erased here; other parts are being told")
    return gettext("waits for the worker, or is under way")

"""Two people made one, and parted again, by somebody who saw what would become of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.profiles import by_hand, merging
from cdp.profiles.by_hand import CannotMerge, Side
from cdp.profiles.merging import CannotPart
from cdp.profiles.models import Profile, ProfileMerge
from cdp.screens.card import OnePerson
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.page import key_of
from cdp.screens.people import CHANGE, NUMBER, PersonFault, found_person, kinds_of, shown


def told(side: Side, title: str) -> dict[str, Any]:
    names = [{"kind": kind, "text": shown(kind, sealed)} for kind, sealed in side.names]
    return {"side": side, "title": title, "names": names}


class Merge(OnePerson):
    """First who the other is, then both side by side; only then it is done."""

    permission_required: Any = (SEE_PEOPLE, CHANGE)
    template_name = "cdp/profiles/merge.html"
    page_title = _("Merge with another person")
    actions = ("compare", "merge")
    unlogged: ClassVar = {"compare": "shows what would become of both"}
    faults: ClassVar = (PersonFault, CannotMerge)
    other: Profile | None = None
    after: Side | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sides = []
        if self.other and self.after:
            sides = [
                told(by_hand.side_of(self.profile), gettext("This person")),
                told(by_hand.side_of(self.other), gettext("The other person")),
                told(self.after, gettext("Both as one")),
            ]
        return super().get_context_data(**kwargs) | {
            "kinds": kinds_of(self.profile.account),
            "kind": self.request.POST.get("kind", ""),
            "other": self.other,
            "sides": sides,
        }

    def named(self) -> Profile:
        kind, value = self.request.POST.get("kind", ""), self.request.POST.get("value", "")
        found = found_person(self.profile.account, kind, value)
        if found is None:
            raise PersonFault(gettext("Nobody else of this account is known by that name."))
        if found.pk == self.profile.pk:
            raise PersonFault(gettext("That is this person already."))
        return found

    def do_compare(self) -> HttpResponse:
        other = self.named()
        self.after = by_hand.would_merge(self.profile, other)
        self.other = other
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        return answer

    def do_merge(self) -> HttpResponse:
        other = found_person(self.profile.account, NUMBER, self.request.POST.get("other", ""))
        if other is None:
            raise PersonFault(gettext("The other person is gone meanwhile. Nothing was merged."))
        one = by_hand.merge(self.profile, other)
        self.concerned = one
        messages.success(
            self.request, gettext("They are one person now. The merge can be taken apart below.")
        )
        return redirect("cdp_profile", one.uuid)


class Part(OnePerson):
    """Take a merge apart, having seen what goes where."""

    permission_required: Any = (SEE_PEOPLE, CHANGE)
    template_name = "cdp/profiles/part.html"
    page_title = _("Take a merge apart")
    actions = ("part",)
    faults: ClassVar = (PersonFault, CannotPart)

    @cached_property
    def record(self) -> ProfileMerge:
        for one in by_hand.merges_into(self.profile):
            if one.pk == key_of(str(self.kwargs["merge"])):
                return one
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sides, refusal = [], ""
        try:
            back, holders = by_hand.would_part(self.record)
        except CannotPart as reason:
            refusal = str(reason)
        else:
            sides = [told(back, gettext("Comes back"))]
            sides += [told(one, gettext("Stays")) for one in holders]
        return super().get_context_data(**kwargs) | {
            "record": self.record,
            "sides": sides,
            "refusal": refusal,
        }

    def do_part(self) -> HttpResponse:
        loser = merging.unmerge(self.record)
        self.log(loser, "part")  # the other one is the page's
        messages.success(self.request, gettext("They are two people again; this is who came back."))
        return redirect("cdp_profile", loser.uuid)

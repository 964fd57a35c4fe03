"""One audience over time, and why somebody is in it or not (reference `cdp.md` 7.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.audiences import changes
from cdp.audiences.differences import differences
from cdp.audiences.explain import explain
from cdp.audiences.faults import AudienceFault
from cdp.audiences.models import Audience
from cdp.audiences.overlap import overlap
from cdp.audiences.rules import rule_of
from cdp.audiences.words import sentence
from cdp.profiles.models import PersonIdentifier, Profile
from cdp.screens.audiences import CHANGE, VIEW, AudiencePage
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.page import key_of
from cdp.screens.people import found_person

PER_PAGE = 50


class History(AudiencePage):
    """Runs, versions with their differences, and what other audiences have in common with this one."""

    template_name = "cdp/audiences/history.html"
    page_title = _("History")
    actions = ("restore",)
    action_permissions: ClassVar = {"restore": CHANGE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.audience
        runs = row.runs.order_by("-pk")
        return super().get_context_data(**kwargs) | {
            "audience": row,
            "page": Paginator(runs, PER_PAGE).get_page(self.request.GET.get("p")),
            "versions": self.versions(),
            "common": self.common(),
            "may_change": self.is_allowed(CHANGE),
        }

    def versions(self) -> list[dict[str, Any]]:
        names = dict(Audience.objects.filter(account=self.audience.account).values_list("identifier", "name"))
        found, older = [], None
        for version in self.audience.versions.select_related("saved_by").order_by("number"):
            tree = rule_of(Audience(account=self.audience.account, definition=version.definition)).tree
            found.append(
                {
                    "version": version,
                    "sentence": sentence(tree, names),
                    "differences": differences(older, tree, names) if older is not None else [],
                }
            )
            older = tree
        return found[::-1]

    def common(self) -> list[dict[str, Any]]:
        others = Audience.objects.filter(account=self.audience.account, archived_at=None)
        rows = {one.pk: one for one in others.exclude(pk=self.audience.pk).order_by("-profile_count")[:19]}
        pairs = overlap([self.audience, *rows.values()])
        mine = [one for one in pairs if self.audience.pk in one[:2]]
        found = [
            {
                "audience": rows[one.first if one.second == self.audience.pk else one.second],
                "count": one.common,
            }
            for one in mine
        ]
        return sorted(found, key=lambda one: -one["count"])

    def do_restore(self) -> HttpResponse:
        changes.restore(self.audience, key_of(self.request.POST.get("version")), by=self.request.user)
        messages.success(self.request, gettext("The older rule is in force again, as a new version."))
        return redirect("cdp_audience", self.audience.pk)


class Why(AudiencePage):
    """Asked by POST, so that what a person is called stands in no address and no log."""

    template_name = "cdp/audiences/why.html"
    page_title = _("Why is somebody in or out?")
    permission_required: Any = (VIEW, SEE_PEOPLE)
    actions = ("ask",)
    unlogged: ClassVar = {"ask": "explains, and changes nothing"}
    explanation: Any = None
    profile: Profile | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = PersonIdentifier.objects.filter(account=self.audience.account).order_by("pk")
        return super().get_context_data(**kwargs) | {
            "audience": self.audience,
            "kinds": [one.name for one in kinds],
            "kind": self.request.POST.get("kind", ""),
            "explanation": self.explanation,
            "profile": self.profile,
        }

    def do_ask(self) -> HttpResponse:
        kind, value = self.request.POST.get("kind", ""), self.request.POST.get("value", "")
        self.profile = found_person(self.audience.account, kind, value)
        if self.profile is None:
            raise AudienceFault("unknown_profile", "value", gettext("Nobody is known by that name."))
        self.explanation = explain(self.audience, self.profile)
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        return answer

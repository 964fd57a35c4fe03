"""The Audience Builder: rules, their sizes, and who is in and why (reference `cdp.md` 3, 7.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn

from cdp.audiences import changes, schedule
from cdp.audiences import preview as previews
from cdp.audiences.compile.statement import Rule
from cdp.audiences.conditions.faults import BadDefinition
from cdp.audiences.conditions.read import read
from cdp.audiences.faults import AudienceFault
from cdp.audiences.models import Audience
from cdp.audiences.rules import Rules, known
from cdp.audiences.words import sentence
from cdp.profiles.models import Account, Profile
from cdp.screens import access, attachments
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.filters import AccountIndex
from cdp.screens.page import Page
from cdp.screens.vocabulary import vocabulary
from personalization.screens import audit
from personalization.screens.lists import Lists

VIEW, CHANGE = "audiences.view_audience", "audiences.change_audience"
PURPOSES = ("statistics", "personalisation", "marketing")  # reference `cdp.md` 6.3
EMPTY: dict[str, Any] = {
    "type": "group",
    "op": "and",
    "not": False,
    "children": [{"type": "did", "event": "buy", "window": {"kind": "in_last", "n": 30, "unit": "day"}}],
}


access.keep(Audience)


class AudienceIndex(AccountIndex):
    def get_base_queryset(self) -> Any:
        rows = Audience.objects.filter(archived_at=None).select_related("account")
        return access.visible(rows, self.request.user, VIEW, CHANGE)

    def get_add_url(self) -> str | None:
        return reverse("cdp_audience_new") if access.anywhere(self.request.user, CHANGE) else None

    def get_edit_url(self, instance: Audience) -> str:
        return reverse("cdp_audience", args=[instance.pk])


def tags_of(row: Audience) -> str:
    return ", ".join(str(tag) for tag in row.tags)


def state_of(row: Audience) -> str:
    if row.calculated_at is None:
        return gettext("not calculated yet")
    return gettext("rule changed since") if row.is_stale else gettext("up to date")


class AudienceScreens(Lists):
    one = "cdp_audience"
    model = Audience
    name = "audiences"
    url_prefix = "customer-data/audiences"
    menu_label = _("Audience Builder")
    icon = "group"
    index_view_class = AudienceIndex
    list_display = (
        "name",
        "identifier",
        NumberColumn("profile_count", label=_("Size"), sort_key="profile_count"),
        DateColumn("calculated_at", label=_("Calculated"), sort_key="calculated_at"),
        Column("state", label=_("State"), accessor=state_of),
        Column("tags", label=_("Tags"), accessor=tags_of),
    )
    list_filter = ("account",)
    search_fields = ("name", "identifier", "description")
    exclude_form_fields = ("definition",)


class AudiencePage(Page):
    permission_required = VIEW
    header_icon = "group"
    faults: ClassVar = (AudienceFault, BadDefinition, attachments.ActivationFault)

    @cached_property
    def audience(self) -> Audience:
        rows = Audience.objects.filter(archived_at=None).select_related("account")
        known = access.visible(rows, self.request.user, VIEW)
        found: Audience = get_object_or_404(known, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account | None:
        return self.audience.account if "pk" in self.kwargs else None

    def subject(self) -> Audience | None:
        return self.audience if "pk" in self.kwargs else None

    def trail(self) -> list[dict[str, Any]]:
        trail = [{"url": reverse("audiences:index"), "label": gettext("Audience Builder")}]
        if "pk" in self.kwargs and type(self) is not Builder:
            url = reverse("cdp_audience", args=[self.audience.pk])
            trail.append({"url": url, "label": self.audience.name})
        return trail

    def given(self) -> dict[str, Any]:
        posted = self.request.POST
        try:
            definition = orjson.loads(posted.get("definition", ""))
        except orjson.JSONDecodeError:
            words = gettext("The conditions did not arrive; reload the page and try again.")
            raise AudienceFault("bad_json", "definition", words) from None
        return {
            "name": posted.get("name", ""),
            "description": posted.get("description", ""),
            "tags": [tag.strip() for tag in posted.get("tags", "").split(",") if tag.strip()],
            "purpose": posted.get("purpose", ""),
            "definition": definition,
            "by": self.request.user,
        }


class NewAudience(AudiencePage):
    permission_required = CHANGE
    template_name = "cdp/audiences/builder.html"
    page_title = _("Build new audience")
    actions = ("save",)
    logged: ClassVar = {"save": audit.CREATE}

    @cached_property
    def account(self) -> Account | None:
        known_ones = {str(one.pk): one for one in self.accounts()}
        asked = self.request.POST.get("account") or self.request.GET.get("account", "")
        return known_ones.get(asked) or next(iter(known_ones.values()), None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        posted = context["posted"] or {}
        return (
            context
            | builder_context(self.account, posted.get("definition") or dumped(EMPTY))
            | {
                "accounts": self.accounts(),
                "shown": {name: posted.get(name, "") for name in ("name", "description", "tags", "purpose")},
                "may_change": True,
            }
        )

    def do_save(self) -> HttpResponse:
        if self.account is None:
            raise AudienceFault("required", "account", gettext("There is no account yet."))
        self.concerned = audience = changes.create(self.account, **self.given())
        schedule.enqueue(audience)
        words = gettext("The audience was saved; it is being calculated.")
        messages.success(self.request, words)
        return redirect("cdp_audience", audience.pk)


class Builder(AudiencePage):
    template_name = "cdp/audiences/builder.html"
    actions = ("save", "refresh", "calculate", "archive", "attach", "detach")
    unlogged: ClassVar = {"refresh": "counts who fits; rule and members stay as they are"}
    action_permissions: ClassVar = dict.fromkeys(("save", "calculate", "archive"), CHANGE) | dict.fromkeys(
        ("attach", "detach"), attachments.CHANGE
    )

    def get_page_title(self) -> str:
        return self.audience.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        row = self.audience
        stored = {
            "name": row.name,
            "description": row.description,
            "tags": ", ".join(row.tags),
            "purpose": row.purpose,
        }
        posted = context["posted"] or {}
        definition = posted.get("definition") or dumped(row.definition)
        return (
            context
            | builder_context(row.account, definition, audience=row)
            | {
                "shown": {name: posted.get(name, value) for name, value in stored.items()},
                "audience": row,
                "state": state_of(row),
                "attached": attachments.of(row),
                "attachable": attachments.offered(row),
                "may_change": self.is_allowed(CHANGE),
                "may_attach": self.is_allowed(attachments.CHANGE),
                "may_see_activations": self.is_allowed(attachments.VIEW),
                "may_see_people": self.is_allowed(SEE_PEOPLE),
            }
        )

    def here(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("cdp_audience", self.audience.pk)

    def do_save(self) -> HttpResponse:
        changes.save(self.audience, **self.given())
        return self.here(gettext("Saved. Members change with the next calculation."))

    def do_refresh(self) -> HttpResponse:
        found = previews.refresh(self.audience)
        words = gettext("%(count)d of %(total)d people fit now.")
        return self.here(words % {"count": found.count, "total": found.total})

    def do_calculate(self) -> HttpResponse:
        schedule.enqueue(self.audience)
        return self.here(gettext("The audience is being calculated; what it is attached to follows."))

    def do_archive(self) -> HttpResponse:
        changes.archive(self.audience)
        messages.success(self.request, gettext("The audience was archived."))
        return redirect("audiences:index")

    def do_attach(self) -> HttpResponse:
        attachments.attach(self.audience, self.request.POST.get("activation", ""))
        return self.here(gettext("Attached: its members are sent after the next calculation."))

    def do_detach(self) -> HttpResponse:
        attachments.detach(self.audience, self.request.POST.get("activation", ""))
        return self.here(gettext("Detached: its members are taken out there."))


def dumped(document: Any) -> str:
    return orjson.dumps(document).decode()


def builder_context(
    account: Account | None, definition: str, *, audience: Audience | None = None
) -> dict[str, Any]:
    """What the script of the builder needs."""
    own = audience.identifier if audience else ""
    return {
        "account": account,
        "definition": definition,
        "purposes": PURPOSES,
        "vocabulary": vocabulary(account, but=own) if account else {},
        "preview_url": reverse("cdp_audience_preview"),
    }


class Preview(View):
    """``{account, definition, purpose, audience}`` -> sizes, the rule as a sentence, or what is wrong."""

    def post(self, request: HttpRequest) -> JsonResponse:
        if not access.anywhere(request.user, VIEW):
            return JsonResponse({"error": gettext("You may not see audiences.")}, status=403)
        try:
            asked = orjson.loads(request.body)
            known = access.visible(Account.objects.all(), request.user, VIEW, account="")
            account = get_object_or_404(known, pk=int(asked["account"]))
            answer = answered(account, asked, with_people=access.may(request.user, SEE_PEOPLE, account))
        except (ValueError, KeyError, TypeError) as fault:
            problems = getattr(fault, "problems", None)
            if problems is None:
                return JsonResponse({"error": gettext("This is no request of the builder.")}, status=400)
            return JsonResponse({"problems": [one.document() for one in problems]}, status=400)
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})


def answered(account: Account, asked: dict[str, Any], *, with_people: bool) -> dict[str, Any]:
    rules = Rules(account)
    identifier, purpose = str(asked.get("audience") or ""), str(asked.get("purpose") or "")
    found = previews.preview(account, asked["definition"], purpose=purpose, identifier=identifier)
    tree = read(asked["definition"], known(account, rules))
    names = dict(Audience.objects.filter(account=account).values_list("identifier", "name"))
    return {
        "count": found.count,
        "total": found.total,
        "percent": found.percent,
        "per_node": found.per_node,
        "people": [
            {"name": str(uuid)[:8], "url": reverse("cdp_profile", args=[uuid])}
            for uuid in Profile.objects.filter(pk__in=found.sample).values_list("uuid", flat=True)
            if with_people
        ],
        "sentence": sentence(tree, names),
        "schedule": str(INTERVALS[schedule.interval(Rule(tree=tree, purpose=purpose), rules)]),
        "warnings": [one.document() for one in found.warnings],
    }


INTERVALS = {
    schedule.Interval.HOURLY: _("Calculated anew every hour."),
    schedule.Interval.TWICE: _("Calculated anew every day at 05:00 and 18:00."),
    schedule.Interval.DAILY: _("Calculated anew every day at 23:59."),
}

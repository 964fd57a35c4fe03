"""The list of people, and finding one by name (reference `cdp.md` 2.6).

Names are asked for by POST, so that what a person is called stands in no address and no log. They are stored
as digests: a name is found whole or not at all.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import Count, IntegerField, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.generic import IndexView
from wagtail.admin.widgets.button import HeaderButton

from cdp.audiences.models import Audience, AudienceMembership
from cdp.profiles import people
from cdp.profiles.identifiers import SYSTEM, TRACKED, BadIdentifier, normal, unseal
from cdp.profiles.models import Account, PersonIdentifier, Profile, ProfileIdentifier
from cdp.screens import access
from cdp.screens.dataflows import SEE_PEOPLE
from cdp.screens.page import Page
from config.sealing import Unsealable
from personalization.screens.lists import Lists

CHANGE, ERASE = "profiles.change_profile", "profiles.erase_profile"
NUMBER = "profile"  # instead of a kind: the number of the profile itself
SHOWN_ATTRIBUTES = 3
LONGEST_VALUE = 40

access.keep(Profile, ERASE)


class PersonFault(Exception):
    """What was asked for cannot be; the message is a sentence."""


def found_person(account: Account, kind: str, value: str) -> Profile | None:
    """The profile with a name, or with a number of its own."""
    try:
        if kind == NUMBER:
            return people.find_by_uuid(account, UUID(value.strip()))
        return people.find(account, kind, normal(kind, value))
    except (ValueError, BadIdentifier):
        return None


def shown(kind: str, sealed: str) -> str:
    if kind.startswith(TRACKED):
        return gettext("as it is tracked")
    if not sealed:
        return gettext("nobody: made anonymous")
    try:
        return unseal(sealed)
    except Unsealable:
        return gettext("cannot be read; was SECRET_KEY changed?")


def kinds_of(*of: Account) -> list[str]:
    """Kinds of names by which somebody may be asked for; those of the system first."""
    rows = PersonIdentifier.objects.filter(account__in=of)
    names = rows.order_by("-is_system", "pk").values_list("name", flat=True)
    return list(dict.fromkeys(names))


def called(profile: Profile) -> str:
    """One name that people can read: a user id or an address before others."""
    names = list(profile.identifiers.all())
    rank = {kind: place for place, kind in enumerate((SYSTEM[0], SYSTEM[2], SYSTEM[1]))}
    readable = [one for one in names if one.sealed]
    if not readable:
        return gettext("no name yet")
    best = min(readable, key=lambda one: (rank.get(one.kind, len(rank) - 1), one.pk))
    return f"{best.kind} {shown(best.kind, best.sealed)}"


def about(profile: Profile) -> str:
    """The first attributes in one line."""
    filled = [(name, value) for name, value in sorted(profile.attributes.items()) if value not in (None, "")]
    said = [f"{name}: {short(value)}" for name, value in filled[:SHOWN_ATTRIBUTES]]
    return ", ".join(said) + (", …" if len(filled) > SHOWN_ATTRIBUTES else "")


def short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def address_of(profile: Profile) -> str:
    return reverse("cdp_profile", args=[profile.uuid])


def audiences_of(request: HttpRequest | None) -> Any:
    rows = Audience.objects.filter(archived_at=None).order_by("name")
    return rows if request is None else access.visible(rows, request.user, SEE_PEOPLE)


class ProfileFilters(WagtailFilterSet):  # type: ignore[misc]
    account = django_filters.ModelChoiceFilter(queryset=access.filtered, label=_("Account"))
    audience = django_filters.ModelChoiceFilter(
        queryset=audiences_of,
        field_name="memberships__audience",
        label=_("Audience"),
    )

    class Meta:
        model = Profile
        fields: ClassVar = ["account", "audience"]


class ProfileIndex(IndexView):  # type: ignore[misc]
    any_permission_required: ClassVar = ["view"]

    def get_base_queryset(self) -> Any:
        names = ProfileIdentifier.objects.exclude(sealed="").order_by("pk")
        members = AudienceMembership.objects.filter(
            profile=OuterRef("pk"), audience__archived_at=None
        ).order_by()
        count = members.values("profile").annotate(count=Count("pk")).values("count")
        known = access.visible(Profile.objects.filter(is_listed=True), self.request.user, SEE_PEOPLE)
        return (
            known.select_related("account")
            .prefetch_related(Prefetch("identifiers", queryset=names))
            .annotate(audiences=Coalesce(Subquery(count, output_field=IntegerField()), 0))
        )

    def get_edit_url(self, instance: Profile) -> str:
        return address_of(instance)

    def get_add_url(self) -> None:
        return None

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons = [HeaderButton(_("Find by name"), url=reverse("cdp_profile_find"), icon_name="search")]
        if access.anywhere(self.request.user, ERASE):
            buttons.append(HeaderButton(_("Erasures"), url=reverse("cdp_erasures"), icon_name="bin"))
        return buttons


class ProfileScreens(Lists):
    model = Profile
    name = "profiles"
    url_prefix = "customer-data/profiles"
    menu_label = _("Profiles")
    icon = "user"
    index_view_class = ProfileIndex
    index_template_name = "cdp/profiles/index.html"
    index_results_template_name = "cdp/profiles/index_results.html"
    list_display = (
        TitleColumn("person", label=_("Person"), accessor=called, get_url=address_of),
        Column("about", label=_("Attributes"), accessor=about),
        NumberColumn("audiences", label=_("Audiences")),
        DateColumn("last_seen", label=_("Last seen"), sort_key="last_seen"),
        Column("account", label=_("Account"), accessor="account"),
        DateColumn("created_at", label=_("Created"), sort_key="created_at"),
    )
    filterset_class = ProfileFilters
    list_filter = ("account",)
    ordering = ("-id",)
    exclude_form_fields = ("attributes",)


class PersonPage(Page):
    permission_required: Any = SEE_PEOPLE
    header_icon = "user"
    faults: ClassVar[tuple[type[Exception], ...]] = (PersonFault,)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("profiles:index"), "label": gettext("Profiles")}]


class Find(PersonPage):
    """Somebody by name. Leads to the card."""

    template_name = "cdp/profiles/find.html"
    page_title = _("Find a person")
    actions = ("find",)
    unlogged: ClassVar = {"find": "leads to a page, and changes nothing"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = self.accounts()
        return super().get_context_data(**kwargs) | {
            "accounts": known,
            "kinds": kinds_of(*known),
            "kind": self.request.POST.get("kind", ""),
            "value": self.request.POST.get("value", ""),
            "account": self.request.POST.get("account", ""),
        }

    def do_find(self) -> HttpResponse:
        kind, value = self.request.POST.get("kind", ""), self.request.POST.get("value", "")
        if not value.strip():
            raise PersonFault(gettext("Type the whole name; parts of names are not known."))
        asked = self.request.POST.get("account", "")
        for account in self.accounts():
            if asked in ("", str(account.pk)) and (found := found_person(account, kind, value)):
                return redirect("cdp_profile", found.uuid)
        raise PersonFault(
            gettext("Nobody is known by that name. It is compared as a whole, upper and lower case matter.")
        )

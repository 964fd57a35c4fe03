"""Person identifiers: what people are known by in an account (reference `cdp.md` 2.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, NumberColumn
from wagtail.admin.views.generic import IndexView

from cdp.profiles import accounts, kinds
from cdp.profiles.kinds import KindFault
from cdp.profiles.models import PersonIdentifier
from cdp.screens.page import Page
from personalization.screens.lists import Lists

VIEW, CHANGE = "profiles.view_personidentifier", "profiles.change_personidentifier"


class IdentifierIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        accounts.all_accounts()  # makes those that only the sites file names
        return kinds.with_counts().select_related("account").order_by("account__number", "pk")

    def get_add_url(self) -> str | None:
        return reverse("cdp_identifier_new") if self.request.user.has_perm(CHANGE) else None

    def get_edit_url(self, instance: PersonIdentifier) -> str:
        return reverse("cdp_identifier", args=[instance.pk])


def state_of(row: PersonIdentifier) -> str:
    return gettext("active") if row.active else gettext("deactivated")


def origin_of(row: PersonIdentifier) -> str:
    return gettext("system") if row.is_system else gettext("own")


class IdentifierScreens(Lists):
    one = "cdp_identifier"
    model = PersonIdentifier
    name = "person_identifiers"
    url_prefix = "customer-data/person-identifiers"
    menu_label = _("Person identifiers")
    icon = "key"
    index_view_class = IdentifierIndex
    index_results_template_name = "cdp/identifiers/results.html"
    list_display = (
        "name",
        NumberColumn("profiles", label=_("Profiles"), sort_key="profiles"),
        Column("active", label=_("State"), accessor=state_of, sort_key="active"),
        Column("is_system", label=_("Origin"), accessor=origin_of, sort_key="is_system"),
        Column("account", label=_("Account"), accessor="account"),
    )
    list_filter = ("active", "account")
    search_fields = ("name",)
    exclude_form_fields = ("account",)


class IdentifierPage(Page):
    permission_required = VIEW
    header_icon = "key"
    faults: ClassVar = (KindFault,)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("person_identifiers:index"), "label": gettext("Person identifiers")}]


class NewIdentifier(IdentifierPage):
    permission_required = CHANGE
    template_name = "cdp/identifiers/new.html"
    page_title = _("New person identifier")
    actions = ("save",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"accounts": accounts.all_accounts()}

    def do_save(self) -> HttpResponse:
        known = {str(one.pk): one for one in accounts.all_accounts()}
        account = known.get(self.request.POST.get("account", ""))
        if account is None:
            raise KindFault("unknown_account", gettext("Choose the account."), field="account")
        kind = kinds.add(account, self.request.POST.get("name", ""))
        messages.success(
            self.request, gettext("The person identifier %(name)s was added.") % {"name": kind.name}
        )
        return redirect("cdp_identifier", kind.pk)


class OneIdentifier(IdentifierPage):
    template_name = "cdp/identifiers/identifier.html"
    actions = ("deactivate",)
    action_permissions: ClassVar = {"deactivate": CHANGE}

    @cached_property
    def kind(self) -> PersonIdentifier:
        rows = kinds.with_counts().select_related("account")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return self.kind.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "kind": self.kind,
            "used": kinds.used_by(self.kind) if self.kind.active else [],
            "may_change": self.request.user.has_perm(CHANGE),
        }

    def do_deactivate(self) -> HttpResponse:
        kinds.deactivate(self.kind)
        words = gettext("%(name)s is deactivated; nobody is known by it any more.")
        messages.success(self.request, words % {"name": self.kind.name})
        return redirect("cdp_identifier", self.kind.pk)

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

from cdp.profiles import accounts, kinds
from cdp.profiles.kinds import KindFault
from cdp.profiles.models import Account, PersonIdentifier
from cdp.screens import access
from cdp.screens.filters import AccountIndex
from cdp.screens.page import Page
from personalization.screens import audit
from personalization.screens.lists import Lists

VIEW, CHANGE = "profiles.view_personidentifier", "profiles.change_personidentifier"


access.keep(PersonIdentifier)


class IdentifierIndex(AccountIndex):
    def get_base_queryset(self) -> Any:
        accounts.all_accounts()  # makes those that only the sites file names
        rows = access.visible(kinds.with_counts(), self.request.user, VIEW, CHANGE)
        return rows.select_related("account").order_by("account__number", "pk")

    def get_add_url(self) -> str | None:
        return reverse("cdp_identifier_new") if access.anywhere(self.request.user, CHANGE) else None

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
    logged: ClassVar = {"save": audit.CREATE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"accounts": self.accounts()}

    def do_save(self) -> HttpResponse:
        known = {str(one.pk): one for one in self.accounts()}
        account = known.get(self.request.POST.get("account", ""))
        if account is None:
            raise KindFault("unknown_account", gettext("Choose the account."), field="account")
        self.concerned = kind = kinds.add(account, self.request.POST.get("name", ""))
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
        rows = access.visible(kinds.with_counts().select_related("account"), self.request.user, VIEW)
        found: PersonIdentifier = get_object_or_404(rows, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.kind.account

    def subject(self) -> PersonIdentifier:
        return self.kind

    def get_page_title(self) -> str:
        return self.kind.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "kind": self.kind,
            "used": kinds.used_by(self.kind) if self.kind.active else [],
            "may_change": self.is_allowed(CHANGE),
        }

    def do_deactivate(self) -> HttpResponse:
        kinds.deactivate(self.kind)
        words = gettext("%(name)s is deactivated; nobody is known by it any more.")
        messages.success(self.request, words % {"name": self.kind.name})
        return redirect("cdp_identifier", self.kind.pk)

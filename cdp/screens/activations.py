"""The list of activations, and what its pages share (reference `cdp.md` 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, DateColumn

from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation
from cdp.activations.targets import find
from cdp.audiences.models import Audience
from cdp.profiles.models import Account
from cdp.screens import access
from cdp.screens.filters import AccountIndex
from cdp.screens.page import Page, key_of
from personalization.screens.lists import Lists

VIEW, CHANGE = "activations.view_activation", "activations.change_activation"
LABELS = {
    "base_url": _("Base URL"),
    "client_id": _("Client ID"),
    "segment_group_identifier": _("Segment Group Identifier"),
    "url": _("Address"),
    "keep_days": _("Days to keep files"),
}
HELP = {
    "base_url": _(
        "Address of the site with /cdp/webhook at the end, such as https://example.com/cdp/webhook."
    ),
    "client_id": _("As the sites file of the site has it."),
    "segment_group_identifier": _("As the sites file of the site has it; its segments mirror the audiences."),
    "url": _("Where signed JSON is posted to, as Standard Webhooks describe it."),
}

REQUIRED = "Field required."  # pydantic's


access.keep(Activation)


class ActivationIndex(AccountIndex):
    def get_base_queryset(self) -> Any:
        rows = Activation.objects.select_related("account")
        return access.visible(rows, self.request.user, VIEW, CHANGE)

    def get_add_url(self) -> str | None:
        return reverse("cdp_activation_new") if access.anywhere(self.request.user, CHANGE) else None

    def get_edit_url(self, instance: Activation) -> str:
        return reverse("cdp_activation", args=[instance.pk])


def kind_of(row: Activation) -> str:
    target = find(row.kind)
    return str(target.label) if target else row.kind


class ActivationScreens(Lists):
    one = "cdp_activation"
    model = Activation
    name = "activations"
    url_prefix = "customer-data/activations"
    menu_label = _("Activations")
    icon = "mail"
    index_view_class = ActivationIndex
    index_results_template_name = "cdp/activations/index_results.html"
    list_display = (
        "name",
        Column("kind", label=_("Kind"), accessor=kind_of, sort_key="kind"),
        Column("state", label=_("State"), accessor="get_state_display", sort_key="state"),
        Column("account", label=_("Account"), accessor="account"),
        DateColumn("updated_at", label=_("Changed"), sort_key="updated_at"),
    )
    list_filter = ("state", "account")
    search_fields = ("name", "description")
    exclude_form_fields = ("config",)


class ActivationPage(Page):
    permission_required = VIEW
    header_icon = "mail"
    faults: ClassVar = (ActivationFault,)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("activations:index"), "label": gettext("Activations")}]


def fields_of(kind: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Controls of a target's settings, with ``values`` by the names of the settings."""
    target = find(kind)
    if target is None:
        return []
    return [
        {
            "name": f"{kind}-{name}",
            "field": name,
            "label": LABELS.get(name, name),
            "help": HELP.get(name, ""),
            "value": values.get(name, "" if one.is_required() else one.default),
            "required": one.is_required(),
            "is_number": one.annotation is int,
        }
        for name, one in target.Config.model_fields.items()
    ]


def config_of(posted: QueryDict, kind: str) -> dict[str, str]:
    """The settings as they were typed; what was left empty is left out."""
    target = find(kind)
    if target is None:
        raise ActivationFault("unknown_kind", "kind", gettext("Choose a kind of receiver."))
    typed = {name: str(posted.get(f"{kind}-{name}", "")).strip() for name in target.Config.model_fields}
    return {name: value for name, value in typed.items() if value}


@contextmanager
def labelled() -> Iterator[None]:
    """Call a setting that is wrong by its label, as the form does."""
    try:
        yield
    except ActivationFault as fault:
        label = LABELS.get(fault.field)
        if label is None:
            raise
        rule = str(fault).removeprefix(f"{fault.field}: ")
        missing = gettext("%(name)s is missing.") % {"name": label}
        words = missing if rule == REQUIRED else f"{label}: {rule}"
        raise ActivationFault(fault.code, fault.field, words) from None


def usable_audiences(account: Account) -> Any:
    return Audience.objects.filter(account=account, archived_at=None).order_by("name")


def chosen(posted: QueryDict, account: Account) -> list[Audience]:
    """Those of the account among the ticked ones."""
    return list(usable_audiences(account).filter(pk__in=[key_of(one) for one in posted.getlist("audiences")]))

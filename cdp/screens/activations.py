"""Activations: the wizard, what was delivered, and the buttons (reference `cdp.md` 4.1, 4.3)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import IndexView

from cdp.activations import changes
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation
from cdp.activations.targets import all_targets, find
from cdp.audiences.models import Audience
from cdp.profiles import accounts
from cdp.profiles.models import Account, PersonIdentifier
from cdp.screens.audiences import PURPOSES
from cdp.screens.page import Lists, Page, key_of

VIEW, CHANGE = "activations.view_activation", "activations.change_activation"
PER_PAGE = 50
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


class ActivationIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return Activation.objects.select_related("account")

    def get_add_url(self) -> str | None:
        return reverse("cdp_activation_new") if self.request.user.has_perm(CHANGE) else None

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

    def form_context(self, account: Account, values: dict[str, Any]) -> dict[str, Any]:
        names = PersonIdentifier.objects.filter(account=account, active=True).order_by("pk")
        return {
            "account": account,
            "identifiers": [one.name for one in names],
            "audiences": Audience.objects.filter(account=account, archived_at=None).order_by("name"),
            "values": values,
            "purposes": PURPOSES,
            "kinds": [
                {
                    "kind": one.kind,
                    "label": one.label,
                    "has_secret": one.has_secret,
                    "makes_secret": bool(one.new_secret()),
                    "fields": fields_of(one.kind, values),
                }
                for one in all_targets()
            ],
        }


def fields_of(kind: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Controls of a target's settings."""
    target = find(kind)
    assert target is not None  # noqa: S101 - of the registry itself
    return [
        {
            "name": f"{kind}-{name}",
            "label": LABELS.get(name, name),
            "help": HELP.get(name, ""),
            "value": values.get(f"{kind}-{name}", "" if one.is_required() else one.default),
            "required": one.is_required(),
            "is_number": one.annotation is int,
        }
        for name, one in target.Config.model_fields.items()
    ]


def config_of(posted: QueryDict, kind: str) -> dict[str, Any]:
    target = find(kind)
    if target is None:
        raise ActivationFault("unknown_kind", "kind", gettext("Choose a kind of receiver."))
    found: dict[str, Any] = {}
    for name in target.Config.model_fields:
        value = str(posted.get(f"{kind}-{name}", "")).strip()
        if value:
            found[name] = value
    return found


def chosen(posted: QueryDict, account: Account) -> list[Audience]:
    keys = [key_of(one) for one in posted.getlist("audiences")]
    return list(Audience.objects.filter(account=account, archived_at=None, pk__in=keys))


class NewActivation(ActivationPage):
    permission_required = CHANGE
    template_name = "cdp/activations/wizard.html"
    page_title = _("Create new activation")
    actions = ("save", "test")

    @cached_property
    def account(self) -> Account:
        known = {str(one.pk): one for one in accounts.all_accounts()}
        asked = self.request.POST.get("account") or self.request.GET.get("account", "")
        wanted = Audience.objects.filter(pk=key_of(self.request.GET.get("audience"))).first()
        found = known.get(asked) or (wanted.account if wanted else next(iter(known.values()), None))
        if found is None:
            raise ActivationFault("required", "account", gettext("There is no account yet."))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        posted = self.request.POST
        values = {name: posted.get(name, "") for name in posted if name != "secret"}
        picked = posted.getlist("audiences") or [self.request.GET.get("audience", "")]
        return (
            context
            | self.form_context(self.account, values)
            | {
                "accounts": accounts.all_accounts(),
                "picked": [key_of(one) for one in picked],
            }
        )

    def do_test(self) -> HttpResponse:
        posted = self.request.POST
        kind = posted.get("kind", "")
        tried = Activation(
            account=self.account,
            name=posted.get("name", "") or "test",
            kind=kind,
            person_identifier=posted.get("person_identifier", ""),
            config=config_of(posted, kind),
        )
        secret = posted.get(f"{kind}-secret", "")
        target = changes.target_of(kind)
        tried.secret = changes.checked_secret(target, secret or target.new_secret())
        verdict = changes.try_connection(tried)
        (messages.success if verdict.ok else messages.error)(self.request, verdict.words)
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        return answer

    def do_save(self) -> HttpResponse:
        posted = self.request.POST
        kind = posted.get("kind", "")
        activation, made = changes.create(
            self.account,
            name=posted.get("name", ""),
            kind=kind,
            person_identifier=posted.get("person_identifier", ""),
            audiences=chosen(posted, self.account),
            config=config_of(posted, kind),
            secret=posted.get(f"{kind}-secret", ""),
            description=posted.get("description", ""),
            purpose=posted.get("purpose", ""),
        )
        messages.success(self.request, gettext("The activation was created."))
        changes.ask(activation)
        if made:
            page = OneActivation()
            page.setup(self.request, pk=activation.pk)
            page.made = made
            answer: HttpResponse = page.get(self.request, pk=activation.pk)
            return answer
        return redirect("cdp_activation", activation.pk)


class OneActivation(ActivationPage):
    template_name = "cdp/activations/activation.html"
    actions = ("save", "test", "send", "pause", "resume", "rotate", "delete", "remove", "attach", "detach")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    made = ""  # a new secret, shown once

    @cached_property
    def activation(self) -> Activation:
        return get_object_or_404(Activation.objects.select_related("account"), pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return self.activation.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        row = self.activation
        stored = {f"{row.kind}-{name}": value for name, value in row.config.items()}
        stored |= {"name": row.name, "description": row.description, "purpose": row.purpose}
        typed = context["posted"] or {}
        values = stored | {name: typed[name] for name in typed if name in stored}
        attached = row.attachments.select_related("audience").order_by("audience__name")
        others = Audience.objects.filter(account=row.account, archived_at=None)
        return (
            context
            | self.form_context(row.account, values)
            | {
                "activation": row,
                "kind_label": kind_of(row),
                "fields": fields_of(row.kind, values) if find(row.kind) else [],
                "has_secret": bool(row.secret),
                "attached": attached,
                "others": others.exclude(attachments__activation=row).order_by("name"),
                "delivered": row.ledger.count(),
                "page": Paginator(row.runs.order_by("-pk"), PER_PAGE).get_page(self.request.GET.get("p")),
                "made": self.made,
                "may_change": self.request.user.has_perm(CHANGE),
            }
        )

    def here(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("cdp_activation", self.activation.pk)

    def do_save(self) -> HttpResponse:
        posted = self.request.POST
        row = self.activation
        changes.edit(
            row,
            secret=posted.get(f"{row.kind}-secret", ""),
            name=posted.get("name", ""),
            description=posted.get("description", ""),
            purpose=posted.get("purpose", ""),
            config=config_of(posted, row.kind),
        )
        return self.here(gettext("Saved."))

    def do_test(self) -> HttpResponse:
        verdict = changes.try_connection(self.activation)
        (messages.success if verdict.ok else messages.error)(self.request, verdict.words)
        return redirect("cdp_activation", self.activation.pk)

    def do_send(self) -> HttpResponse:
        changes.ask(self.activation)
        return self.here(gettext("What is different is being sent."))

    def do_pause(self) -> HttpResponse:
        changes.pause(self.activation)
        return self.here(gettext("Paused: nothing is sent."))

    def do_resume(self) -> HttpResponse:
        changes.resume(self.activation)
        return self.here(gettext("Active again."))

    def do_rotate(self) -> HttpResponse:
        row = self.activation
        self.made = changes.rotate(row, secret=self.request.POST.get(f"{row.kind}-secret", ""))
        words = gettext("The secret was changed; the one before is valid for 24 hours.")
        messages.success(self.request, words)
        if not self.made:
            return redirect("cdp_activation", row.pk)
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        return answer

    def do_delete(self) -> HttpResponse:
        return self.deleted(changes.LEAVE)

    def do_remove(self) -> HttpResponse:
        return self.deleted(changes.REMOVE)

    def deleted(self, memberships: str) -> HttpResponse:
        changes.delete(self.activation, memberships=memberships)
        messages.success(self.request, gettext("The activation is deleted."))
        return redirect("activations:index")

    def audience(self) -> Audience:
        pk = key_of(self.request.POST.get("audience"))
        return get_object_or_404(Audience, account=self.activation.account, pk=pk)

    def do_attach(self) -> HttpResponse:
        changes.attach(self.activation, self.audience())
        return self.here(gettext("Attached: its members are sent after the next calculation."))

    def do_detach(self) -> HttpResponse:
        changes.detach(self.activation, self.audience())
        return self.here(gettext("Detached: its members are taken out there."))

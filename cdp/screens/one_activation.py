"""One activation: who is delivered, what went out, and the buttons that make sense for it (reference `cdp.md`
4.1, 4.3)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from wagtail.admin import messages

from cdp.activations import changes
from cdp.activations.models import Activation, Parcel, SentRequest
from cdp.activations.outlook import outlook
from cdp.activations.standing import standings
from cdp.activations.targets import find
from cdp.audiences.models import Audience
from cdp.profiles.models import Account
from cdp.screens import access
from cdp.screens.activations import (
    CHANGE,
    VIEW,
    ActivationPage,
    config_of,
    fields_of,
    kind_of,
    labelled,
    usable_audiences,
)
from cdp.screens.audiences import PURPOSES
from cdp.screens.page import key_of
from cdp.screens.waiting import worker

PER_PAGE = 20
RUNS = 10
State = Activation.State


def buttons_of(row: Activation) -> frozenset[str]:
    """The actions that make sense: a kind that sends nothing has nothing to try, what ends is not edited."""
    target = find(row.kind)
    if target is None:
        return frozenset({"delete"})
    found = {"delete"}
    if row.ending_at is None:
        found |= {"save", "attach", "detach"}
        found.add("pause" if row.state == State.ACTIVE else "resume")
        if target.has_secret:
            found.add("rotate")
        if target.delivers:
            found |= {"test", "remove"}
    elif row.state != State.ACTIVE:
        found.add("resume")
    if target.delivers and row.state == State.ACTIVE:
        found.add("send")
    if target.delivers and row.state != State.PAUSED:
        found.add("redeliver")
    return frozenset(found)


class OneActivation(ActivationPage):
    template_name = "cdp/activations/activation.html"
    actions = (
        "save",
        "test",
        "send",
        "redeliver",
        "pause",
        "resume",
        "rotate",
        "delete",
        "remove",
        "attach",
        "detach",
    )
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    made = ""  # a new secret, shown once

    @classmethod
    def with_secret(cls, request: HttpRequest, activation: Activation, made: str) -> HttpResponse:
        """The page of a new activation with the secret that nobody sees again."""
        page = cls()
        page.setup(request, pk=activation.pk)
        page.made = made
        answer: HttpResponse = page.get(request, pk=activation.pk)
        answer["Cache-Control"] = "no-store"
        return answer

    @cached_property
    def activation(self) -> Activation:
        rows = Activation.objects.select_related("account")
        known = access.visible(rows, self.request.user, VIEW)
        found: Activation = get_object_or_404(known, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.activation.account

    def subject(self) -> Activation:
        return self.activation

    def get_page_title(self) -> str:
        return self.activation.name

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action = request.POST.get("action", "")
        known = action in self.actions and self.is_allowed(CHANGE)
        if known and action not in buttons_of(self.activation):
            messages.error(request, gettext("That makes no sense for this activation in its present state."))
            answer: HttpResponse = self.get(request, *args, **kwargs)
            answer.status_code = 422
            return answer
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        row = self.activation
        may_change = self.is_allowed(CHANGE)
        target = find(row.kind)
        found = outlook(row)
        attached = standings(row, whatever_it_takes="count" in self.request.GET)
        return (
            context
            | self.settings_context(context["posted"])
            | {
                "activation": row,
                "kind_label": kind_of(row),
                "target": target,
                "delivers": bool(target and target.delivers),
                "address": target.address(row.config) if target else "",
                "outlook": found,
                "worker": worker() if found.waits else None,
                "buttons": buttons_of(row) if may_change else frozenset(),
                "may_change": may_change,
                "may_see_audiences": self.is_allowed("audiences.view_audience"),
                "attached": attached,
                "delivered": sum(one.delivered for one in attached),
                "is_uncounted": any(one.to_add is None for one in attached),
                "staying": sum(one.attachment.removed_at is None for one in attached),
                "others": usable_audiences(row.account).exclude(
                    pk__in=[one.attachment.audience_id for one in attached if not one.attachment.removed_at]
                ),
                "page": Paginator(row.requests.order_by("-pk"), PER_PAGE).get_page(self.request.GET.get("p")),
                "under_way": Parcel.objects.filter(activation=row)
                .values_list("request_id", flat=True)
                .first(),
                "runs": row.runs.order_by("-pk")[:RUNS],
                "made": self.made,
            }
        )

    def settings_context(self, typed: Any) -> dict[str, Any]:
        """The settings, as they were typed where that was wrong."""
        row = self.activation
        known = find(row.kind) is not None
        config = (
            config_of(typed, row.kind) if typed and typed.get("action") == "save" and known else row.config
        )
        values = {name: getattr(row, name) for name in ("name", "description", "purpose")}
        if typed and typed.get("action") == "save":
            values = {name: typed.get(name, "") for name in values}
        return {
            "values": values,
            "fields": fields_of(row.kind, config),
            "has_secret": bool(row.secret),
            "purposes": PURPOSES,
        }

    def here(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("cdp_activation", self.activation.pk)

    def do_save(self) -> HttpResponse:
        posted = self.request.POST
        with labelled():
            changes.edit(
                self.activation,
                secret=posted.get("secret", ""),
                name=posted.get("name", ""),
                description=posted.get("description", ""),
                purpose=posted.get("purpose", ""),
                config=config_of(posted, self.activation.kind),
            )
        return self.here(gettext("Saved."))

    def do_test(self) -> HttpResponse:
        verdict = changes.try_connection(self.activation)
        (messages.success if verdict.ok else messages.error)(self.request, verdict.words)
        return redirect("cdp_activation", self.activation.pk)

    def do_send(self) -> HttpResponse:
        changes.ask(self.activation)
        return self.here(gettext("What is different is being sent."))

    def do_redeliver(self) -> HttpResponse:
        changes.redeliver(self.activation, self.request.POST.get("request", ""))
        return self.here(gettext("The request is sent again, with the same id."))

    def do_pause(self) -> HttpResponse:
        changes.pause(self.activation)
        return self.here(gettext("Paused: nothing is sent."))

    def do_resume(self) -> HttpResponse:
        changes.resume(self.activation)
        return self.here(gettext("Active again."))

    def do_rotate(self) -> HttpResponse:
        row = self.activation
        made = changes.rotate(row, secret=self.request.POST.get("secret", ""))
        words = gettext("The secret was changed; the one before is valid for 24 hours.")
        messages.success(self.request, words)
        return self.with_secret(self.request, row, made) if made else redirect("cdp_activation", row.pk)

    def do_delete(self) -> HttpResponse:
        return self.deleted(changes.LEAVE)

    def do_remove(self) -> HttpResponse:
        return self.deleted(changes.REMOVE)

    def deleted(self, memberships: str) -> HttpResponse:
        changes.delete(self.activation, memberships=memberships)
        is_gone = not Activation.objects.filter(pk=self.activation.pk).exists()
        words = gettext("The activation is deleted.")
        if not is_gone:
            words = gettext("Everybody is taken out at the receiver; then the activation deletes itself.")
        messages.success(self.request, words)
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


class OneRequest(ActivationPage):
    """A request that was sent, as far as it may be shown: nobody is named, the secret is left out."""

    permission_required = VIEW
    template_name = "cdp/activations/request.html"

    @cached_property
    def sent(self) -> SentRequest:
        rows = SentRequest.objects.select_related("activation__account")
        known = access.visible(rows, self.request.user, VIEW, account="activation__account__")
        found: SentRequest = get_object_or_404(known, activation=self.kwargs["pk"], pk=self.kwargs["sent"])
        return found

    def whose(self) -> Account:
        return self.sent.activation.account

    def get_page_title(self) -> str:
        return gettext("Request %(id)s") % {"id": str(self.sent.request_id)[:8]}

    def trail(self) -> list[dict[str, Any]]:
        one = self.sent.activation
        return [*super().trail(), {"url": reverse("cdp_activation", args=[one.pk]), "label": one.name}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.sent.activation
        is_under_way = Parcel.objects.filter(activation=row, request_id=self.sent.request_id).exists()
        offered = buttons_of(row) if self.is_allowed(CHANGE) else frozenset()
        return super().get_context_data(**kwargs) | {
            "sent": self.sent,
            "activation": row,
            "is_under_way": is_under_way,
            "may_redeliver": is_under_way and "redeliver" in offered,
            "headers": headers_of(row),
        }


def headers_of(row: Activation) -> list[str]:
    """Header lines as they go out, without what is secret in them."""
    if row.kind == "ibexa":
        return ["Content-Type: application/json", "Authorization: Basic •••"]
    if row.kind == "webhook":
        signed = ["webhook-id", "webhook-timestamp", "webhook-signature: v1,•••"]
        return ["Content-Type: application/json", *signed]
    return []

"""The outbox: what engines were told or shall be told, and the pages that send it again.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import InspectView
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log
from wagtail.permissions import register_permission_policy

from config.jobs import outbox, queue
from config.jobs.models import Outbox, State
from content.items.types import item_types
from personalization.client import notify
from personalization.client.export import announce
from personalization.screens import access
from personalization.screens.history import HistoryIndex, HistoryViewSet
from personalization.screens.permissions import PerSite
from tracking.screens.pages import AdminPage

# Only the machinery writes these rows; "change" is to send one again.
register_permission_policy(Outbox, PerSite(Outbox, "view", "change"))

CHANGE = "jobs.change_outbox"
SENDABLE = (State.QUEUED, *outbox.STOPPED)


def subject(message: Outbox) -> str:
    """What a message tells, in the words of the protocol."""
    if message.kind == announce.KIND:
        return gettext("Full export %(number)s") % {"number": message.payload.get("run")}
    if message.kind != notify.KIND:
        return f"{message.kind} {message.key}"
    payload = message.payload
    names = {kind.id: kind.name for kind in item_types().values()}
    told = ", ".join(f"{action} {language}" for language, action in notify.languages_of(payload).items())
    return f"{names.get(payload['item_type_id'], payload['item_type_id'])} {payload['content_id']}: {told}"


def next_try(message: Outbox) -> str:
    if message.state != State.QUEUED:
        return ""
    return date_format(localtime(message.run_after), "DATETIME_FORMAT")


class Resend(InspectView):  # type: ignore[misc]
    """Asks before it sends a message again."""

    template_name = "personalization/runs/resend.html"
    page_title = _("Send again")
    any_permission_required = ("change",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"subject": subject(self.object)}

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        if outbox.replay(self.object.pk):
            log(self.object, "wagtail.edit", user=request.user)
            messages.success(request, _("The message is sent as soon as a worker is free."))
        else:
            messages.warning(
                request, _("The message needs no sending: it went out, or a newer one said what it says.")
            )
        return redirect(self.index_url_name)


class ResendAll(AdminPage):
    """Asks before it sends all messages again that stopped, those of every customer."""

    permission_required = CHANGE

    template_name = "personalization/runs/resend_all.html"
    page_title = _("Send all again")
    header_icon = "mail"
    index_url_name = ""

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        above = {"url": reverse(self.index_url_name), "label": capfirst(Outbox._meta.verbose_name_plural)}
        return [*super().get_breadcrumbs_items(), above, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"stopped": outbox.stopped().count()}

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        count = outbox.stopped().count()
        queue.enqueue("outbox_replay", key="all")
        if first := outbox.stopped().order_by("pk").first():
            log(first, "wagtail.edit", user=request.user, data={"messages_sent_again": count})
        text = ngettext("%(count)d message is sent again.", "%(count)d messages are sent again.", count)
        messages.success(request, text % {"count": count})
        return redirect(self.index_url_name)


class OutboxIndex(HistoryIndex):
    @cached_property
    def columns(self) -> list[Any]:
        """What a message tells is its title, which leads to the details and holds the actions."""
        titled = self._get_title_column_class(TitleColumn)
        title = titled("subject", label=_("Message"), accessor=subject, get_url=self.get_inspect_url)
        return [title, *super().columns]

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_more_buttons)
        if not access.is_limited(self.request.user, CHANGE) and outbox.stopped().exists():
            url = reverse("personalization_outbox:resend_all")
            buttons.append(Button(_("Send all again"), url=url, icon_name="rotate", priority=20))
        return buttons

    def get_list_more_buttons(self, instance: Outbox) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)
        if instance.state in SENDABLE and self.user_has_permission_for_instance("change", instance):
            url = reverse("personalization_outbox:resend", args=(instance.pk,))
            text = _("Send now") if instance.state == State.QUEUED else _("Send again")
            buttons.append(MenuItem(text, url=url, icon_name="rotate", priority=30))
        return buttons


class OutboxScreens(HistoryViewSet):
    model = Outbox
    name = "personalization_outbox"
    url_prefix = "personalization/outbox"
    menu_label = _("Outbox")
    icon = "mail"
    index_view_class = OutboxIndex
    list_display = (
        Column("customer_id", label=_("Customer"), accessor="customer_id"),
        Column("state", label=_("State"), accessor="get_state_display"),
        Column("attempts", label=_("Tries"), accessor="attempts"),
        Column("response_status", label=_("Answer"), accessor="response_status"),
        Column("error", label=_("Reason"), accessor="error"),
        Column("next_try", label=_("Next try"), accessor=next_try),
        DateColumn("created_at", label=_("Created")),
        DateColumn("finished_at", label=_("Finished")),
    )
    list_filter = ("customer_id", "state", "kind")
    search_fields = ("key", "customer_id", "error")
    inspect_view_fields_exclude = ("lease_owner", "lease_until", "version")

    def view_of(self, view: Any) -> Any:
        given = self.get_inspect_view_kwargs()
        return self.construct_view(view, **given | {"template_name": view.template_name})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("resend/<int:pk>/", self.view_of(Resend), name="resend"),
            path(
                "resend/all/",
                ResendAll.as_view(index_url_name=self.get_url_name("index")),
                name="resend_all",
            ),
        ]

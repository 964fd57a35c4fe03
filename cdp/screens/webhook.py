"""The log of the webhook: requests that were taken, what became of their actions, and replaying those that
failed (reference `cdp.md` 5)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import IndexView
from wagtail.permissions import register_permission_policy

from cdp.models import BulkItem, WebhookRequest
from cdp.screens import access
from cdp.screens.page import Page, key_of
from cdp.screens.waiting import waiting, worker
from cdp.webhook import failed, log
from personalization.screens.lists import Lists
from personalization.screens.permissions import Only
from personalization.segments.models import Segment

VIEW, CHANGE = "cdp.view_webhookrequest", "cdp.change_webhookrequest"
PER_PAGE = 50
MOST_PARKED = 10
MOST_SKIPPED = 100
NAMES = {"applied": _("applied"), "unchanged": _("unchanged"), "skipped": _("skipped"), "failed": _("failed")}
WORDS = {
    "applied": ngettext_lazy("%(count)d applied", "%(count)d applied", "count"),
    "unchanged": ngettext_lazy("%(count)d unchanged", "%(count)d unchanged", "count"),
    "skipped": ngettext_lazy("%(count)d skipped", "%(count)d skipped", "count"),
    "failed": ngettext_lazy("%(count)d failed", "%(count)d failed", "count"),
}
SKIPPED = {
    "unknown_person": _("nobody here is meant by it"),
    "ambiguous_person": _("several users have this address"),
}


def mode_of(row: Any) -> str:
    return gettext("queued") if row.handled.is_queued else gettext("at once")


def outcome_of(row: Any) -> str:
    """``80 applied, 20 wait``; zeros are left out."""
    found: log.Handled = row.handled
    if found.counts is None:
        return gettext("settled; the counts are not kept any more")
    parts = [WORDS[name] % {"count": count} for name, count in found.counts.items() if count]
    if found.waiting:
        parts.append(ngettext("%(count)d waits", "%(count)d wait", found.waiting) % {"count": found.waiting})
    return ", ".join(parts) or gettext("nothing to do")


register_permission_policy(WebhookRequest, Only(WebhookRequest, "view", "change"))


class RequestIndex(IndexView):  # type: ignore[misc]
    page_title = _("Webhook log")
    default_ordering = "-received_at"

    def get_edit_url(self, instance: WebhookRequest) -> str:
        return reverse("cdp_webhook_request", args=[instance.pk])

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        """The rows of the page with what became of them."""
        found = super().paginate_queryset(queryset, page_size)
        rows = list(found[2])
        for row, handled in zip(rows, log.handled(rows), strict=True):
            row.handled = handled
        return found[0], found[1], rows, found[3]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {
            "waiting": waiting(),
            "worker": worker(),
            "parked": log.parked(most=MOST_PARKED),
            "may_activate": access.anywhere(self.request.user, "activations.change_activation"),
        }


class WebhookScreens(Lists):
    one = "cdp_webhook_request"
    model = WebhookRequest
    name = "cdp_webhook"
    url_prefix = "customer-data/webhook"
    menu_label = _("Webhook log")
    icon = "download"
    index_view_class = RequestIndex
    index_template_name = "cdp/webhook/index.html"
    index_results_template_name = "cdp/webhook/index_results.html"
    list_display = (
        "request_id",
        DateColumn("received_at", label=_("Received"), sort_key="received_at"),
        Column("client_id", label=_("Client ID"), accessor="client_id", sort_key="client_id"),
        Column("actions", label=_("Actions sent"), accessor="actions", sort_key="actions"),
        Column("status", label=_("Status"), accessor="status"),
        Column("mode", label=_("Processing"), accessor=mode_of),
        Column("outcome", label=_("Outcome"), accessor=outcome_of),
    )
    list_filter = ("client_id", "status")
    search_fields = ("request_id", "client_id")
    exclude_form_fields = ("answer",)


class OneRequest(Page):
    permission_required = VIEW
    header_icon = "download"
    template_name = "cdp/webhook/request.html"
    actions = ("replay", "replay_all", "give_up")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    logged: ClassVar = {"replay_all": "replay"}

    @cached_property
    def row(self) -> WebhookRequest:
        return get_object_or_404(WebhookRequest, pk=self.kwargs["pk"])

    def subject(self) -> WebhookRequest:
        return self.row

    @cached_property
    def handled(self) -> log.Handled:
        return log.handled([self.row])[0]

    def get_page_title(self) -> str:
        return gettext("Request %(id)s") % {"id": self.row.request_id}

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("cdp_webhook:index"), "label": gettext("Webhook log")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.handled
        page = None
        if found.batch is not None:
            page = Paginator(log.items(found.batch), PER_PAGE).get_page(self.request.GET.get("p"))
        counts = found.counts or {}
        return super().get_context_data(**kwargs) | {
            "row": self.row,
            "handled": found,
            "counts": [(NAMES[name], count) for name, count in counts.items()],
            "page": page,
            "items": self.described(list(page.object_list)) if page else [],
            "failed": counts.get("failed", 0),
            "skipped": counts.get("skipped", 0),
            "reasons": self.reasons(),
            "may_change": self.is_allowed(CHANGE),
            "waiting": waiting() if found.waiting else None,
            "worker": worker() if found.waiting else None,
        }

    def reasons(self) -> list[tuple[int, str]]:
        """Of a request that was applied at once: which actions were skipped, from 1 on, and why."""
        errors = self.row.answer.get("errors", [])[:MOST_SKIPPED]
        return [(one["index"] + 1, str(SKIPPED.get(one["code"], one["code"]))) for one in errors]

    def described(self, items: list[BulkItem]) -> list[dict[str, Any]]:
        """Who is meant is for those who may see users; others read that somebody is."""
        names = dict(Segment.objects.filter(pk__in={one.segment for one in items}).values_list("pk", "name"))
        people = self.people(items)
        return [
            {
                "item": one,
                "segment": names.get(one.segment, ""),
                "person": gettext("nobody here") if one.user is None else people.get(one.user, ""),
                "is_failed": one.status == BulkItem.Status.FAILED,
            }
            for one in items
        ]

    def people(self, items: list[BulkItem]) -> dict[int, str]:
        users = get_user_model()
        app, model = users._meta.app_label, users._meta.model_name
        if not any(self.request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change")):
            return {}
        keys = {one.user for one in items if one.user is not None}
        names = {row.pk: row.get_username() for row in users._default_manager.filter(pk__in=keys)}
        return {key: f"{names[key]} ({key})" if key in names else f"({key})" for key in keys}

    def wanted(self) -> list[int]:
        """The failed action that the form names; none where it is settled or of another request."""
        batch = self.handled.batch
        return log.failed_items(batch, [key_of(self.request.POST.get("item"))]) if batch else []

    def do_replay(self) -> HttpResponse:
        return self.replayed(self.wanted())

    def do_replay_all(self) -> HttpResponse:
        batch = self.handled.batch
        return self.replayed(log.failed_items(batch) if batch else [])

    def do_give_up(self) -> HttpResponse:
        count = failed.remove(self.wanted())
        words = ngettext("%(count)d action is given up.", "%(count)d actions are given up.", count)
        return self.done(count, words)

    def replayed(self, items: list[int]) -> HttpResponse:
        count = failed.retry(items)
        words = ngettext(
            "%(count)d action waits for the worker again.",
            "%(count)d actions wait for the worker again.",
            count,
        )
        return self.done(count, words)

    def done(self, count: int, words: str) -> HttpResponse:
        self.is_unchanged, self.counts = not count, {"actions": count}
        if count:
            messages.success(self.request, words % {"count": count})
        else:
            messages.warning(self.request, gettext("It has not failed any more: it was settled meanwhile."))
        return redirect("cdp_webhook_request", self.row.pk)

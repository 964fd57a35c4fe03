"""The tracking code for a page that is not made with our templates, and whether its events arrive."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.customers import reach
from config.http.own import event_base, own_base
from tracking.models import Event
from tracking.screens.pages import SEE_EVENTS, SitesPage


class CustomerChoice(forms.Form):
    customer_id = forms.ChoiceField(label=_("Customer"))

    def __init__(self, given: Any, *, viewer: Any) -> None:
        super().__init__(given)
        self.fields["customer_id"].choices = [  # type: ignore[attr-defined]
            (one.customer_id, f"{one.customer_id} {one.name}") for one in reach.customers(viewer, SEE_EVENTS)
        ]


class Snippet(SitesPage):
    permission_required = SEE_EVENTS
    page_title = _("Tracking code")
    header_icon = "code"
    template_name = "tracking/snippet.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = CustomerChoice(self.request.GET or None, viewer=self.request.user)
        choices = [value for value, _label in form.fields["customer_id"].choices]  # type: ignore[attr-defined]
        chosen = form.cleaned_data["customer_id"] if form.is_valid() else next(iter(choices), "")
        if not form.is_bound:
            form.initial["customer_id"] = chosen
        return context | {
            "form": form,
            "customer_id": chosen,
            "snippet": snippet(chosen),
            "command": f'curl -i "{event_base()}/api/{chosen}/click/somebody/1/1"',
            "arrived": Event.objects.filter(customer_id=chosen).exists(),
            "feed_url": reverse("tracking_debugger_feed"),
        }


def snippet(customer_id: str) -> str:
    """The form without inline scripts of docs/tracker.md, which also runs under a strict policy."""
    own, events = own_base(), event_base()
    commands = [["_trackEvent", gettext("ITEM TYPE NUMBER"), "click", gettext("ITEM NUMBER"), ""]]
    written = json.dumps(commands, ensure_ascii=False).replace("&", "&amp;").replace("'", "&#39;")
    lines = [
        f'<script async src="{own}{static("lodestar/tracker.js")}"',
        f'data-customer="{customer_id}"',
        *([f'data-endpoint="{events}"'] if events != own else []),
        f"data-ycq='{written}'></script>",
    ]
    return "\n  ".join(lines)

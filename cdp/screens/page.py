"""What the pages of the platform share: permission, breadcrumbs, faults as messages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from cdp.dataflows.faults import DataflowFault
from personalization.screens.lists import ListScreens


class Lists(ListScreens):
    """A list alone: each row has pages of its own, which change it by the rules. ``one``: their address."""

    left_out = ("add", "edit", "delete", "history", "history_results", "usage")
    one = ""
    add_to_reference_index = False
    inspect_view_enabled = False

    def one_url_name(self) -> str | None:
        return self.one or None


def key_of(text: str | None) -> int:
    """The key of a row as a browser sends it; 0, which no row has, for what is none."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


class Page(PermissionRequiredMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """A page whose form says with ``action`` what it is for; each action is a method ``do_<action>``.

    An action returns where to go next. A fault becomes a message, and the page is shown again with what was
    typed. ``action_permissions`` names the actions that need more than looking does.
    """

    permission_required: Any = None  # one, or several that are all needed
    raise_exception = True
    actions: ClassVar[tuple[str, ...]] = ()
    action_permissions: ClassVar[dict[str, str]] = {}
    faults: ClassVar[tuple[type[Exception], ...]] = (DataflowFault,)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().get(request, *args, **kwargs)
        except self.faults as fault:  # there is nothing to show it on, such as no account
            messages.error(request, str(fault))
            return redirect("wagtailadmin_home")
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action = request.POST.get("action", "")
        if action not in self.actions:
            messages.error(request, f"There is no action {action[:40]!r}.")
            return self.get(request, *args, **kwargs)
        needed = self.action_permissions.get(action)
        if needed and not request.user.has_perm(needed):
            return self.handle_no_permission()
        try:
            answer: HttpResponse = getattr(self, f"do_{action}")()
        except self.faults as fault:
            self.fault = fault
            messages.error(request, str(fault))
            shown: HttpResponse = self.get(request, *args, **kwargs)
            shown.status_code = 422
            return shown
        return answer

    fault: Exception | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"fault": self.fault, "posted": self.request.POST if self.fault else None}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, *self.trail(), {"url": "", "label": self.get_page_title()}]

    def trail(self) -> list[dict[str, Any]]:
        """Pages above this one."""
        return []

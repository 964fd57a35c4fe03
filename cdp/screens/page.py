"""What the pages of the platform share: permission, breadcrumbs, faults as messages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.functional import cached_property
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.model import ModelViewSet

from cdp.dataflows.faults import DataflowFault

LEFT_OUT = ("add", "edit", "delete", "history", "history_results", "usage")


class Lists(ModelViewSet):  # type: ignore[misc] # Wagtail publishes no types
    """A list alone: each row has pages of its own, which change it by the rules. ``one``: their address."""

    one = ""
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = False
    list_per_page = 50
    search_backend_name = None

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return given | {f"{name}_url_name": None for name in LEFT_OUT}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [one for one in super().get_urlpatterns() if one.name not in LEFT_OUT]

    @cached_property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        finder: type[ModelAdminURLFinder] = type(
            "OneURLFinder", (ModelAdminURLFinder,), {"edit_url_name": self.one or None}
        )
        return finder


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

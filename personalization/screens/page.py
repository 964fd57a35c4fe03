"""What pages with actions share: permission, breadcrumbs, faults as messages."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from wagtail.admin import messages

from personalization.screens import audit
from tracking.screens.denied import denied
from tracking.screens.pages import AdminPage


class Page(AdminPage):
    """A page whose form says with ``action`` what it is for; each action is a method ``do_<action>``.

    An action returns where to go next. A fault becomes a message, and the page is shown again with what was
    typed. ``action_permissions`` names the actions that need more than looking does.

    An action that was done stands in the log with the row that it was about (:mod:`.audit`): ``subject``, or
    ``concerned`` where the action made a row. ``logged`` says how the log calls an action where that is not
    its own name; ``unlogged`` why an action is left out, because it changes nothing.
    """

    actions: ClassVar[tuple[str, ...]] = ()
    action_permissions: ClassVar[dict[str, str]] = {}
    faults: ClassVar[tuple[type[Exception], ...]] = ()
    logged: ClassVar[Mapping[str, str]] = {}
    unlogged: ClassVar[Mapping[str, str]] = {}
    concerned: Model | None = None
    is_unchanged = False  # an action came too late to change anything
    counts: Mapping[str, int] = MappingProxyType({})  # for the log

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
        if needed and not self.is_allowed(needed):
            return denied(request, needed)
        try:
            subject = None if action in self.unlogged else self.subject()
            before = copy(subject)
            answer: HttpResponse = getattr(self, f"do_{action}")()
        except self.faults as fault:
            self.fault = fault
            messages.error(request, self.words_of(fault))
            shown: HttpResponse = self.get(request, *args, **kwargs)
            shown.status_code = 422
            return shown
        if action not in self.unlogged and not self.is_unchanged:
            is_there = subject is not None and subject.pk is not None  # a row that is deleted forgets its key
            self.log(self.concerned or (subject if is_there else before), self.logged.get(action, action))
        return answer

    def subject(self) -> Model | None:
        """The row that the page is about; None on a page that makes one."""
        return None

    def log(self, row: Model | None, action: str) -> None:
        if row is None:
            raise ImproperlyConfigured(f"{type(self).__name__} does not say what {action} was about.")
        audit.record(row, action, user=self.request.user, **self.counts)

    fault: Exception | None = None

    def is_allowed(self, permission: str) -> bool:
        """For what the page is about; here for everything."""
        user: Any = self.request.user
        return bool(user.has_perm(permission))

    def missing(self) -> list[str]:
        return [one for one in self.get_permission_required() if not self.is_allowed(one)]

    def words_of(self, fault: Exception) -> str:
        """What the message at the top of the page says."""
        return str(fault)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"fault": self.fault, "posted": self.request.POST if self.fault else None}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, *self.trail(), {"url": "", "label": self.get_page_title()}]

    def trail(self) -> list[dict[str, Any]]:
        """Pages above this one."""
        return []

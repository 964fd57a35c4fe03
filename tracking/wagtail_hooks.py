"""The menu and addresses of the tracking screens."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem

from config import glossary, onboarding
from config.customers import reach
from tracking.debugger import REFUSED
from tracking.screens.debugger import Debugger, Feed, Pseudonym
from tracking.screens.first_steps import STEPS, TERMS
from tracking.screens.pages import SEE_EVENTS, SEE_PERSON
from tracking.screens.privacy import LOG_ACTIONS, Privacy
from tracking.screens.receipt import Receipt
from tracking.screens.snippet import Snippet

onboarding.register(*STEPS)
glossary.register(*TERMS)


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def urls() -> list[URLPattern]:
    return [
        path("tracking/debugger/", Debugger.as_view(), name="tracking_debugger"),
        path("tracking/debugger/feed/", Feed.as_view(), name="tracking_debugger_feed"),
        path("tracking/debugger/pseudonym/", Pseudonym.as_view(), name="tracking_debugger_pseudonym"),
        path("tracking/privacy/", Privacy.as_view(), name="tracking_privacy"),
        path("tracking/privacy/<slug:receipt>/", Receipt.as_view(), name="tracking_erasure"),
        path("tracking/snippet/", Snippet.as_view(), name="tracking_snippet"),
    ]


class EventsItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return reach.anywhere(request.user, SEE_EVENTS)


class PeopleItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return reach.anywhere(request.user, SEE_PERSON)


@hooks.register("register_admin_menu_item")  # type: ignore[untyped-decorator]
def menu() -> SubmenuMenuItem:
    refused = f"{reverse('tracking_debugger')}?outcome={REFUSED}"
    items = [
        EventsItem(_("Event debugger"), reverse("tracking_debugger"), icon_name="crosshairs", order=1),
        EventsItem(_("Refused events"), refused, icon_name="warning", order=2),
        EventsItem(_("Tracking code"), reverse("tracking_snippet"), icon_name="code", order=3),
        PeopleItem(_("Privacy"), reverse("tracking_privacy"), icon_name="view", order=4),
    ]
    return SubmenuMenuItem(_("Tracking"), Menu(items=items), icon_name="crosshairs", order=950)


@hooks.register("register_permissions")  # type: ignore[untyped-decorator]
def permissions() -> object:
    from django.contrib.auth.models import Permission

    own = ("view_event", "view_person", "erase_person")
    return Permission.objects.filter(content_type__app_label="tracking", codename__in=own)


@hooks.register("register_log_actions")  # type: ignore[untyped-decorator]
def log_actions(actions: Any) -> None:
    for name, label, message in LOG_ACTIONS:
        actions.register_action(name, label, message)

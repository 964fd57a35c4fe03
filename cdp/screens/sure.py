"""A page that says what an action on a row of a list will do, and does it after one more press."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from cdp.screens.page import Page


class Words(NamedTuple):
    """``says``: what will be so afterwards. ``more``: what a tick adds to it, "" for no choice."""

    label: str | Promise
    says: str | Promise
    icon: str
    more: str | Promise = ""


class SurePage(Page):
    """``words``: of every action. ``one_url``, ``list_url``: names of the row's page and of the list."""

    template_name = "cdp/sure.html"
    words: Mapping[str, Words]
    one_url = list_url = ""

    def row(self) -> Any:
        raise NotImplementedError

    def offered(self) -> list[str]:
        """Actions that the row has as it is, and that somebody may do."""
        raise NotImplementedError

    @cached_property
    def said(self) -> Words:
        action = self.kwargs["action"]
        if action not in self.offered():
            raise Http404
        return self.words[action]

    def get_page_title(self) -> str:
        words = gettext("%(action)s %(name)s?")
        return words % {"action": self.said.label, "name": self.row().name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "said": self.said,
            "action": self.kwargs["action"],
            "target": reverse(self.one_url, args=[self.row().pk]),
            "back": reverse(self.list_url),
        }

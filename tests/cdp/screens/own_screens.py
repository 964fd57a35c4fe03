"""Own addresses of the back office, and what a page of it offers to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

OURS = ("cdp_", "personalization", "tracking_", "segment", "first_steps", "glossary", "view_as")
SETS = ("dataflows", "schemas", "person_identifiers", "profiles", "audiences", "activations", "insights")


def names() -> set[str]:
    """The name of every own address below ``/admin/``, such as ``cdp_dataflow`` and ``dataflows:index``."""
    found = set(walked(get_resolver().url_patterns, "", ""))
    known = {name for path, name in found if path.startswith("admin/")}
    return {name for name in known if name.startswith(OURS) or name.split(":")[0] in SETS}


def walked(patterns: Any, path: str, prefix: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        here = path + str(one.pattern)
        if isinstance(one, URLResolver):
            space = f"{one.namespace}:" if one.namespace else ""
            yield from walked(one.url_patterns, here, prefix + space)
        elif isinstance(one, URLPattern) and one.name:
            yield here, prefix + one.name


class Offer(HTMLParser):
    """``links``: addresses; ``actions``: of each form that posts its address and what its buttons send;
    ``dead``: forms that are to be filled in and have no button."""

    def __init__(self, text: str, here: str) -> None:
        super().__init__()
        self.here = here
        self.links: set[str] = set()
        self.actions: set[tuple[str, str]] = set()
        self.form: str | None = None
        self.dead: set[str] = set()
        self.fields = self.buttons = self.shut = 0
        self.depth: list[bool] = []
        self.feed(text)
        # The menu, and what else Wagtail's scripts are told.
        self.links |= {unescape(one) for one in re.findall(r'"url": "(/admin/[^"]*)"', text)}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            href = given["href"]
            self.links.add(self.here.partition("?")[0] + href if href.startswith("?") else href)
        if tag == "form":
            is_post = given.get("method", "").lower() == "post"
            self.form = (given.get("action") or self.here) if is_post else None
            self.fields = self.buttons = 0
            # The builder of audiences shows sizes to whoever may look.
            self.shut = int(given.get("id") == "builder")
            if self.form:
                self.actions.add((self.form, ""))
        if tag == "fieldset":
            self.depth.append("disabled" in given)
        is_usable = not any(self.depth) and "disabled" not in given
        if tag in ("input", "select", "textarea") and is_usable:
            self.fields += given.get("type") not in ("hidden", "submit") and "readonly" not in given
        self.buttons += tag == "button" or given.get("type") == "submit"
        is_button = tag in ("button", "input") and given.get("name") == "action"
        if is_button and self.form and "disabled" not in given:
            self.actions.add((self.form, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self.depth:
            self.depth.pop()
        if tag == "form":
            if self.form and self.fields and not self.buttons and not self.shut:
                self.dead.add(self.form)
            self.form = None

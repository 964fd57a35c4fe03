"""A hand that presses buttons and fills in fields, and knows which ones there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playwright.sync_api import Locator, Page, expect

# What people see and can work with, without what Wagtail puts on every page.
SHOWN = """() => [...document.querySelectorAll(`main button, main a.button, main [role=button],
  main [data-tippy-root] a, main input, main select, main textarea`)]
  .filter(one => one.type !== "hidden" && !one.readOnly && one.checkVisibility())
  .filter(one => !one.matches(".w-human-readable-date, .w-pill__content, [aria-label='Toggle breadcrumbs']"))
  .map(one => ["INPUT", "SELECT", "TEXTAREA"].includes(one.tagName)
    ? "[" + (one.name || one.id || one.dataset.all) + "]"
    : (one.getAttribute("aria-label") || one.innerText).trim())"""


class Hand:
    """``inventory``: patterns of names of buttons, and of fields in brackets.

    A page that shows one that no pattern knows fails the test; ``unused`` are those that were never worked.
    """

    def __init__(self, page: Page, inventory: Sequence[str]) -> None:
        self.page = page
        self.inventory = inventory
        self.used: set[str] = set()

    @property
    def unused(self) -> set[str]:
        return set(self.inventory) - self.used

    def pattern(self, name: str) -> str:
        found = next((one for one in self.inventory if re.fullmatch(one, name)), None)
        assert found is not None, f"{self.page.url} shows {name!r}, which this test does not know"
        return found

    def look(self) -> None:
        for name in self.page.evaluate(SHOWN):
            self.pattern(name)

    def go(self, address: str) -> None:
        self.page.goto(f"/admin/customer-data/{address}", wait_until="domcontentloaded")
        self.look()

    def button(self, name: str) -> Locator:
        main = self.page.locator("main")
        both = main.get_by_role("button", name=name, exact=True)
        return both.or_(main.get_by_role("link", name=name, exact=True))

    def press(self, name: str, *, leads: bool = True, place: int = 0) -> None:
        """``leads``: to a page, this one again perhaps."""
        self.used.add(self.pattern(name))
        if leads:
            with self.page.expect_navigation(wait_until="domcontentloaded"):
                self.button(name).nth(place).click()
        else:
            self.button(name).nth(place).click()
        self.look()

    def field(self, name: str) -> Locator:
        self.used.add(self.pattern(f"[{name}]"))
        return self.page.locator(f"main [name='{name}']:not([type=hidden])")

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.field(name).fill(value)

    def choose(self, name: str, value: str | list[str]) -> None:
        self.field(name).select_option(value)

    def tick(self, name: str, *, value: str = "", on: bool = True) -> None:
        field = self.field(name)
        (field.and_(self.page.locator(f"[value='{value}']")) if value else field).set_checked(on)

    def is_told(self, words: str) -> None:
        expect(self.page.locator(".messages")).to_contain_text(words)

    def reads(self, *words: str) -> None:
        for one in words:
            expect(self.page.locator("main")).to_contain_text(one)

"""What the pages of the platform share."""

from __future__ import annotations

from typing import ClassVar

from cdp.dataflows.faults import DataflowFault
from personalization.screens import page
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


class Page(page.Page):
    """A page with actions, whose faults are those of dataflows unless it says otherwise."""

    faults: ClassVar[tuple[type[Exception], ...]] = (DataflowFault,)

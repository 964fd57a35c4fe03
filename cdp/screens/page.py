"""What the pages of the platform share."""

from __future__ import annotations

from typing import ClassVar

from cdp.dataflows.faults import DataflowFault
from personalization.screens import page


def key_of(text: str | None) -> int:
    """The key of a row as a browser sends it; 0, which no row has, for what is none."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


class Page(page.Page):
    """A page with actions, whose faults are those of dataflows unless it says otherwise."""

    faults: ClassVar[tuple[type[Exception], ...]] = (DataflowFault,)

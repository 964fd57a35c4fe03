"""The one rule for item ids, at every door of the engine: imports, notifications, recommendations.

It is the rule of the event intake, so that what was clicked is what was imported: whole numbers from 1 to
2147483647 in their shortest spelling, or printable texts where the customer has alphanumeric ids.
"""

from __future__ import annotations

from tracking import fields


class BadId(ValueError):
    """An id that names no item; the message is a sentence without its full stop."""


def checked(text: str, *, alphanumeric: bool, name: str) -> str:
    """The id in its one spelling ("0012" is "12"). Raises :class:`BadId`, which calls the id ``name``."""
    try:
        return fields.item_id(text, alphanumeric=alphanumeric, name=name)
    except fields.BadEvent as fault:
        raise BadId(fault.message) from None


def number_or_text(item_id: str) -> int | str:
    """The id as JSON shows it to a customer of numeric ids.

    What was stored under older rules, or before the customer changed its kind of ids, stays a text: one such
    item must not keep the others from being answered.
    """
    try:
        return int(checked(item_id, alphanumeric=False, name=""))
    except BadId:
        return item_id

"""Whom a raw user id means: its pseudonyms, and the devices that became this person by a login."""

from __future__ import annotations

from config.customers import directory
from tracking import fields, lake, queries
from tracking.events import NOT_DEFINED
from tracking.models import Event
from tracking.people.spans import BEGINNING, Span
from tracking.rotation import keys


class NoSuchPerson(Exception):
    """The customer or the user id cannot be meant; the message says why and never shows the id."""


def own(customer_id: str, raw_user_id: str) -> tuple[Span, ...]:
    """The spans of a raw user id, one for each generation of keys that may be stored.

    Raises :class:`NoSuchPerson`.
    """
    refuse_unknown(customer_id)
    refuse_nobody(raw_user_id)
    return tuple(Span(customer_id, user) for user in keys.living(customer_id, raw_user_id))


def linked(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """What the devices did that logged in as this person, up to their logins."""
    users = {span.user for span in spans}
    return tuple(
        Span(customer_id, one.source, one.after or BEGINNING, one.until)
        for customer_id in {span.customer_id for span in spans}
        for one in queries.ownership(customer_id)
        if one.owner in users and one.source not in users
    )


def refuse_unknown(customer_id: str) -> None:
    """A customer that is no longer configured may still have events."""
    if directory.find(customer_id) is not None:
        return
    if not Event.objects.filter(customer_id=customer_id).exists() and customer_id not in lake.customers():
        raise NoSuchPerson(f"--customer: customer {fields.shown(customer_id)} not found.")


def refuse_nobody(raw_user_id: str) -> None:
    if not raw_user_id:
        raise NoSuchPerson("--user must not be empty.")
    if raw_user_id == NOT_DEFINED:
        raise NoSuchPerson("--user: not_defined is nobody; its events are linked to no person.")
    try:
        size = len(raw_user_id.encode())
    except UnicodeEncodeError:
        raise NoSuchPerson("--user must be valid UTF-8.") from None
    if size > fields.LONGEST_USER_BYTES:
        raise NoSuchPerson(f"--user must be at most 1,024 bytes long; got {size} bytes.")

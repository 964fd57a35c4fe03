"""The ordinary event, read in one look: plain letters, an event id at the end, everything else seen before.

Reading an event part by part costs 55 microseconds; this costs a twentieth. It refuses only what is over the
customer's budget: whatever is not plain is left to :mod:`tracking.collector.intake`, which knows all rules
and words all sentences. A property test holds both to the same rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.conf import settings

from config.customers.directory import CustomerAccount
from tracking.collector import path
from tracking.collector.gate import budgets
from tracking.collector.rows import EventRow
from tracking.collector.single import withheld
from tracking.events import NOT_DEFINED, SPELLINGS, Rule, Shape
from tracking.fields import BadEvent
from tracking.identity import pseudonym

# Nine digits are below the biggest id; without a zero in front they are their own spelling.
SUBJECT = re.compile(rb"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})\Z")
CUSTOMER = re.compile(rb"[0-9A-Za-z_-]{1,64}")
USER = re.compile(rb"[0-9A-Za-z._~-]{1,128}")
EVENT_ID = re.compile(rb"[0-9A-Za-z._~:-]{1,64}")
VISIBLE = re.compile(rb"[!-\[\]-~]*")
PARTS = 6  # nothing, api, customer, event, user, item type and all that follows
LONGEST_REMEMBERED = 500
# A price is settled between several parameters, a signed time needs the whole request.
UNSETTLED = frozenset({"buy", "wishlist"})
# An event id in the middle would make every query one of a kind.
LEFT_TO_INTAKE = frozenset({"overridetimestamp", "signature", "usersig", "event_id"})
OF_THE_SENDER = frozenset({"user", "eventid"})
QUICK = {s: r for s, r in SPELLINGS.items() if r.shape is Shape.ITEM and r.code not in UNSETTLED}
# Columns between the times and the event id, and what they hold when nothing is sent.
MIDDLE = EventRow._fields[EventRow._fields.index("received") + 1 : EventRow._fields.index("event_id")]
EMPTY = EventRow._field_defaults
END = tuple(EMPTY[name] for name in EventRow._fields[EventRow._fields.index("event_id") + 1 :])
new_row = partial(tuple.__new__, EventRow)


class Remembered(NamedTuple):
    """What two visits of the same item have in common."""

    customer_id: str
    code: str
    item_type: int
    item_id: str
    middle: tuple[Any, ...]
    consent: str | None
    middle_of_nobody: tuple[Any, ...]  # without segments, which say something of a person


def row(
    target: bytes, *, find: Callable[[str], CustomerAccount | None], now: int | None = None
) -> EventRow | None:
    """The row of a plain request target, or None where the intake must look closer.

    Raises :class:`BadEvent` 429 when the customer's budget is spent.
    """
    parts = target.split(b"/", PARTS - 1)
    if len(target) > LONGEST_REMEMBERED or len(parts) != PARTS or parts[1] != b"api" or parts[0]:
        return None
    about, named, event_id = parts[5].rpartition(b"eventid=")
    if not named:
        about = event_id
    elif not begins_a_parameter(about) or EVENT_ID.fullmatch(event_id) is None:
        return None
    known = remembered(parts[2], parts[3], about)
    if known is None or (account := find(known.customer_id)) is None or account.gate.looks_closer:
        return None
    who, middle = stored_user(settings.PSEUDONYM_KEYS, known.customer_id, parts[4]), known.middle
    if who is None:
        return None
    if withheld(known.consent, account):
        who, middle = "", known.middle_of_nobody
    received = time.time_ns() // 1000 if now is None else now
    budgets.spend(account, events=1, now=received)
    head = (known.customer_id, known.code, who, known.item_type, known.item_id, received, received)
    return new_row((*head, *middle, event_id.decode() if named else None, *END))


def row_of_document(
    account: CustomerAccount, document: dict[str, Any], *, received: int, nobody: bool
) -> EventRow | None:
    """The row of a plain event of a batch, or None where it must be read part by part."""
    if account.gate.signed_users:
        return None
    user, event_id = document.get("user"), document.get("eventid")
    about = tuple(pair for pair in document.items() if pair[0] not in OF_THE_SENDER)
    # True is 1 to a dictionary, and a list cannot be remembered.
    if type(user) is not str or any(type(value) not in (str, int) for _, value in about):
        return None
    if event_id is not None and (type(event_id) is not str or not EVENT_ID.fullmatch(event_id.encode())):
        return None
    known = remembered_document(account.customer_id, about)
    who = stored_user(settings.PSEUDONYM_KEYS, account.customer_id, user.encode())
    if known is None or who is None:
        return None
    middle = known.middle
    if nobody or withheld(known.consent, account):
        who, middle = "", known.middle_of_nobody
    head = (known.customer_id, known.code, who, known.item_type, known.item_id, received, received)
    return new_row((*head, *middle, event_id, *END))


@lru_cache(maxsize=16_384)
def remembered_document(customer_id: str, about: tuple[tuple[str, str | int], ...]) -> Remembered | None:
    """What :func:`remembered` says of the address that the document stands for."""
    sent = dict(about)
    code, kind, item = (str(sent.pop(name, "")) for name in ("event", "itemtype", "item"))
    address = f"{kind}/{item}?{urlencode(sent, quote_via=quote)}"
    if len(address) > LONGEST_REMEMBERED or not address.isascii() or not code.isascii():
        return None
    return remembered(customer_id.encode(), code.encode(), address.encode())


def begins_a_parameter(about: bytes) -> bool:
    """Whether a parameter's name may follow; the first question mark begins the query, a second is a text."""
    return about[-1:] == b"&" or about.find(b"?") == len(about) - 1


@lru_cache(maxsize=16_384)
def remembered(customer: bytes, code: bytes, about: bytes) -> Remembered | None:
    """The part of the row that says nothing of user and time; None where anything is out of the ordinary."""
    rule = QUICK.get(code.decode("latin-1"))
    subject, _, query = about.partition(b"?")
    found = SUBJECT.match(subject)
    if rule is None or found is None or not CUSTOMER.fullmatch(customer) or not VISIBLE.fullmatch(query):
        return None
    values = values_of(rule, query)
    if values is None:
        return None
    consent = values.pop("consent", None)
    middle = middle_of(values)
    values.pop("segments", None)
    item = (int(found[1]), found[2].decode())
    return Remembered(customer.decode(), rule.code, *item, middle, consent, middle_of(values))


def middle_of(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(name, EMPTY[name]) for name in MIDDLE)


def values_of(rule: Rule, query: bytes) -> dict[str, Any] | None:
    """The parameters as columns; None when one is missing, repeated, wrong or not for here."""
    values: dict[str, Any] = {}
    try:
        path.refuse_forbidden_bytes(query)
        for name, value in path.pairs(query):
            text = path.decode_value(value, name)
            parameter = rule.by_name.get(name)
            if parameter is None:
                continue
            if parameter.column in values or parameter.column in LEFT_TO_INTAKE:
                return None
            values[parameter.column] = parameter.parse(name, text)
    except BadEvent:
        return None
    if any(parameter.column not in values for parameter in rule.required):
        return None
    return values


@lru_cache(maxsize=16_384)
def stored_user(_keys: tuple[str, ...], customer_id: str, user: bytes) -> str | None:
    """Visitors come back; the keys are part of what is remembered, because they decide the result."""
    if USER.fullmatch(user) is None:
        return None
    raw = user.decode()
    return "" if raw == NOT_DEFINED else pseudonym(customer_id, raw)

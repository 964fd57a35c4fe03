"""An event in the words of tracking: the adapter between the p-grammar and the event intake.

What tracking has a code for goes there, so that the engine learns from it, and comes back as an interaction
of the profile (decisions, "Tracking meets CDP"). All else is an interaction at once.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from urllib.parse import quote

from django.conf import settings

from cdp.tracking import vocabulary
from cdp.tracking.message import Call
from cdp.tracking.vocabulary import Tracked
from config.customers.directory import CustomerAccount
from config.site_access import EventGate
from tracking import fields
from tracking.collector import single
from tracking.collector.rows import EdgeRow, EventRow
from tracking.events import NOT_DEFINED, RULES

CODES = {
    "visit": "click",
    "contentvisit": "click",
    "pageview": "click",
    "basket": "basket",
    "buy": "buy",
    "itemclick": "clickrecommended",
}
# Of the demo and of the exports; `itemtype` says another.
PRODUCT, ARTICLE = 40, 39
DAY = 86_400_000_000


def code_of(said: Tracked) -> str:
    """The code under which tracking stores the event; "" where it has none."""
    if not said.product_id or (said.event == "itemclick" and not said.scenario):
        return ""
    return CODES.get(said.event, "")


def rows(
    customer: CustomerAccount, call: Call, said: Tracked, *, received: int
) -> tuple[list[EventRow], list[EdgeRow]]:
    """The rows of an event that tracking has a code for, and of the login that it proves.

    ``received``: when it is stored; past events of erased people are known by it. Raises
    :class:`~tracking.fields.BadEvent`.
    """
    who = call.ruid or call.coid or NOT_DEFINED
    item_type = said.item_type or (ARTICLE if said.event == "contentvisit" else PRODUCT)
    item = fields.item_id(said.product_id, alphanumeric=customer.alphanumeric_items, name="p2")
    events, edges = stored(customer, code_of(said), [who, str(item_type), item], sent(said, call), call)
    if call.coid and call.ruid and call.coid != call.ruid and not call.nobody:
        login = [("eventid", login_id(call))]
        more, edges = stored(customer, "login", [call.coid, call.ruid], login, call)
        events = more + events
    return [row._replace(received=received) for row in events], edges


def stored(
    customer: CustomerAccount, code: str, path: list[str], sent: list[tuple[str, str]], call: Call
) -> tuple[list[EventRow], list[EdgeRow]]:
    rest = [quote(part, safe="").encode() for part in path]
    return single.rows_of(admitted(customer), RULES[code], rest, sent, received=call.ts, nobody=call.nobody)


def admitted(customer: CustomerAccount) -> CustomerAccount:
    """The customer as for a sender that has been let in: consent and signature were looked at before."""
    return replace(customer, consent_required=False, gate=EventGate())


def sent(said: Tracked, call: Call) -> list[tuple[str, str]]:
    """The parameters of the event's rule."""
    price = said.unit_price
    offered = {
        "categorypath": "/".join(number for number, _name in said.category),
        "quantity": str(said.quantity or ""),
        "fullprice": "" if price is None else f"{plain(price)}{currency_of(said)}",
        "orderid": said.order_id,
        "scenario": said.scenario,
        "lang": said.lang,
        "eventid": call.event_id,
    }
    known = RULES[code_of(said)].by_name
    return [(name, value) for name, value in offered.items() if value and name in known]


def currency_of(said: Tracked) -> str:
    return said.currency or settings.ACCOUNT_CURRENCY


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def login_id(call: Call) -> str:
    """One login for a session, or for a day: after a logout the device's events are its own again."""
    when = call.sid or str(call.ts // DAY)
    return "login-" + sha256(f"{call.coid}\0{call.ruid}\0{when}".encode()).hexdigest()[:32]


def check(customer: CustomerAccount | None, call: Call) -> Tracked:
    """What the event says, once it is known that it can be stored. Raises BadEvent."""
    said = vocabulary.read(call.event, call.params)
    if customer is not None and code_of(said):
        rows(customer, call, said, received=call.ts)
    return said

"""Who may send events, and how many: before anything is stored.

A customer may ask for its license key, name the origins of its pages, and has a budget of events a second, so
that one customer's flood leaves room for the others. Robots that say what they are are answered and not
stored. None of this keeps out who lies; it keeps what honest software sends in its place.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from config.customers.directory import CustomerAccount
from config.site_access.schema import origin_of
from tracking.fields import BadEvent, shown

SECOND = 1_000_000
UNKNOWN = "null"  # what browsers themselves call the origin of a page that has none
# What crawlers, link previews and monitors call themselves. Scripts (curl, libraries) are not among them:
# servers send events too.
ROBOTS = (
    *("crawl", "spider", "slurp", "mediapartners", "facebookexternalhit", "embedly", "bingpreview"),
    *("inspectiontool", "lighthouse", "pingdom", "uptime", "statuscake", "site24x7", "archiver"),
    *("feedfetcher", "whatsapp/"),
)
BOT = re.compile(r"(?<!cu)bot\b")  # a Cubot is a telephone
LONGEST_AGENT = 256  # a robot says early what it is; a longer text would cost time and memory


class Budgets:
    """Events of each customer in the running second. Threads may count a few too many; that is no harm."""

    def __init__(self) -> None:
        self._spent: dict[str, list[int]] = {}

    def spend(self, account: CustomerAccount, *, events: int, now: int) -> None:
        """Count events at ``now`` (microseconds). Raises :class:`BadEvent` 429 over the customer's budget."""
        budget = account.gate.events_per_second
        if not budget:
            return
        second = now // SECOND
        spent = self._spent.get(account.customer_id)
        if spent is None or spent[0] != second:
            self._spent[account.customer_id] = spent = [second, 0]
        if spent[1] + events > budget and spent[1]:
            raise BadEvent(
                429, f"customer {account.customer_id} has sent its {budget} events of this second; slow down"
            )
        spent[1] += events


budgets = Budgets()


def admit(account: CustomerAccount, headers: Mapping[str, str]) -> None:
    """Raise :class:`BadEvent` 401 or 403 for a sender that the customer does not take events from."""
    if account.gate.needs_license_key and not knows_key(account, headers.get("authorization", "")):
        raise BadEvent(
            401,
            f"customer {account.customer_id} takes events only with its customer id and license key (basic "
            "authentication)",
        )
    if account.gate.origins and (origin := origin_of_page(headers)) and origin not in account.gate.origins:
        raise BadEvent(
            403, f"customer {account.customer_id} takes no events from pages of {shown(origin_shown(origin))}"
        )


def origin_of_page(headers: Mapping[str, str]) -> str:
    """The origin of the page that a browser sends for, in lower case; "" when no page is behind the request.

    Pictures come without an Origin, but with the page's address or at least with the word that it is of
    another site (Fetch Metadata, 2.3).
    """
    if origin := headers.get("origin", ""):
        return origin.lower()
    if referer := headers.get("referer", ""):
        try:
            return origin_of(referer)
        except ValueError:
            return UNKNOWN
    return UNKNOWN if headers.get("sec-fetch-site", "") == "cross-site" else ""


def knows_key(account: CustomerAccount, authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 1000:
        return False
    try:
        customer_id, _, key = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    return customer_id == account.customer_id and account.accepts(key)


def origin_shown(origin: str) -> str:
    """The host of an origin; what is none is not repeated."""
    try:
        return urlsplit(origin).hostname or "an unknown origin"
    except ValueError:
        return "an unknown origin"


def is_robot(user_agent: str) -> bool:
    """Whether the sender says that it is a crawler, a link preview or a monitor."""
    return bool(user_agent) and says_robot(user_agent[:LONGEST_AGENT])


@lru_cache(maxsize=4096)
def says_robot(user_agent: str) -> bool:
    text = user_agent.lower()
    return any(word in text for word in ROBOTS) or ("bot" in text and BOT.search(text) is not None)

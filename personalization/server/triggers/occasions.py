"""For whom there is a reason to write: SQL over the events of those who may be addressed. No Django."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from personalization.server.learning.events import SECOND, History

Key = tuple[int, str]
HOUR = 3600 * SECOND
DAY = 24 * HOUR
CODES = ("click", "consume", "buy", "basket", "deletefrombasket", "wishlist", "deletefromwishlist", "owns")
WINDOW_DAYS = 400.0
# Who left longer ago than this after the delay is not written to any more.
LATE = {"basket": 14 * DAY, "visit": 2 * DAY, "gone": 30 * DAY}
MOST_ITEMS = 20

# The newest of some events of each person with each item.
NEWEST = """
SELECT who, item, event, ts FROM (
  SELECT who, item, event, ts,
         row_number() OVER (PARTITION BY who, item ORDER BY ts DESC, event) AS nth
  FROM history WHERE event IN ({codes}) AND who IN (SELECT addressee FROM addressed)
) WHERE nth = 1 AND event = '{kept}' ORDER BY who, ts DESC, item
"""
LAST = """
SELECT who, max(ts) AS last_ts FROM history
WHERE event IN ({codes}) AND who IN (SELECT addressee FROM addressed) GROUP BY who
"""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """``ts``: when it began, in microseconds; ``items``: what it is about, the newest first."""

    user: str
    ts: int
    items: tuple[Key, ...]


def address(history: History, users: Iterable[str]) -> None:
    """Look only at these people."""
    history.rows("addressed", "addressee VARCHAR", [[user] for user in users])


def abandoned(history: History, *, now: int, delay: int) -> list[Occasion]:
    """Things stand in the basket since the delay, and nothing was bought after them."""
    bought = last(history, "buy")
    found = having(history, ("basket", "deletefrombasket", "buy"), kept="basket")
    return [
        one
        for one in found
        if one.ts > bought.get(one.user, 0) and in_time(one.ts, now=now, delay=delay, late=LATE["basket"])
    ]


def gone(history: History, *, now: int, delay: int) -> list[Occasion]:
    """Nothing at all was heard since the delay of somebody who bought something before."""
    bought, heard = last(history, "buy"), last(history, *CODES)
    return [
        Occasion(user=one.user, ts=heard[one.user], items=one.items)
        for one in having(history, ("buy",), kept="buy")
        if one.user in bought and in_time(heard[one.user], now=now, delay=delay, late=LATE["gone"])
    ]


def visited(history: History, *, now: int, delay: int) -> list[Occasion]:
    """A visit ended since the delay, and nothing was bought since the day before it."""
    bought = last(history, "buy")
    return [
        one
        for one in having(history, ("click",), kept="click", within=12 * HOUR)
        if one.ts > bought.get(one.user, 0) + DAY
        and in_time(one.ts, now=now, delay=delay, late=LATE["visit"])
    ]


def wished(history: History, *, now: int, delay: int) -> list[Occasion]:
    """Things stand on the wish list since the delay; whether they are cheaper now others know."""
    found = having(history, ("wishlist", "deletefromwishlist", "buy", "owns"), kept="wishlist")
    return [one for one in found if one.ts <= now - delay]


FINDERS: dict[str, Callable[..., list[Occasion]]] = {
    "ABANDONED_SHOPPING_CART": abandoned,
    "REACTIVATION": gone,
    "POST_VISIT": visited,
    "PRICE_DROP": wished,
}


def in_time(ts: int, *, now: int, delay: int, late: int) -> bool:
    return now - delay - late < ts <= now - delay


def having(history: History, codes: tuple[str, ...], *, kept: str, within: int = 0) -> list[Occasion]:
    """By person the items whose newest event of ``codes`` is ``kept``.

    ``within``: no more than so many microseconds before the last of them; 0 is no limit.
    """
    rows = history.columns(NEWEST.format(codes=quoted(codes), kept=kept))
    grouped: dict[str, list[tuple[int, Key]]] = {}
    for who, item, ts in zip(rows["who"].tolist(), rows["item"].tolist(), rows["ts"].tolist(), strict=True):
        of = grouped.setdefault(who, [])
        if len(of) < MOST_ITEMS and not (within and of and of[0][0] - ts > within):
            of.append((ts, history.keys[item]))
    return [Occasion(user=who, ts=of[0][0], items=tuple(key for _, key in of)) for who, of in grouped.items()]


def last(history: History, *codes: str) -> dict[str, int]:
    """When each person did one of these last."""
    rows = history.columns(LAST.format(codes=quoted(codes)))
    return dict(zip(rows["who"].tolist(), rows["last_ts"].tolist(), strict=True))


def quoted(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)

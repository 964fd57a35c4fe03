"""Simulated visitors of the demo site: people with tastes who come back, read and buy.

No Django here. Each visitor has one or two tastes; a session follows one of them, jumps to a related item
more often than to a random one, and now and then to what everybody looks at. So the history holds both
what popularity can learn (some items are simply visited more) and what only co-occurrence can learn (who
opens A opens B). Everything follows from the seed: two runs make the same history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIMED_KINDS = ("article", "place")
# Of ten page views in a session, how many follow the taste; the rest go where everybody goes.
TASTE_SHARE = 0.8
# Chance that the next view is in the folder of the last one, taste still applying.
SAME_FOLDER = 0.45
KIND_REACH = {"place": 1.0, "article": 1.2, "product": 0.5}
READ_SHARE = 0.6
BASKET_SHARE = 0.4
BUY_SHARE = 0.7
# Who buys looks for what goes with it, this many things on average.
COMPANIONS = 1.6
RATE_SHARE = 0.05
# Of ten views, how many follow a recommendation: of the page before, and at the till.
FOLLOWED, FOLLOWED_TO_BUY = 0.15, 0.5
# What each kind of page recommends by, as its template asks; the first one is followed.
FRONT = "front"
SCENARIOS = {"article": ("detail",), "place": ("detail",), "product": ("also_bought", "detail")}
# Visits an hour over the day, midnight first, UTC.
DAY = np.array([1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 7, 7, 7, 8, 9, 10, 12, 13, 11, 6, 3], dtype=float)


@dataclass(frozen=True, kw_only=True)
class DemoItem:
    """What a visitor sees of an item."""

    kind: str  # article, place, product
    item_type: int
    item_id: str
    folder: str  # category path
    affinities: tuple[float, ...]  # one per taste, 0 or more
    price: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One thing a visitor did."""

    visitor: str
    event: str
    item_type: int
    item_id: str
    at: datetime
    category_path: str = ""
    percentage: int | None = None
    rating: int | None = None
    quantity: int | None = None
    price: Decimal | None = None
    scenario: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    visitors: int = 1200
    days: int = 30
    seed: int = 2026
    currency: str = "EUR"


def simulate(items: Sequence[DemoItem], *, until: datetime, plan: Plan | None = None) -> Iterator[Visit]:
    """Yield the visits of the ``plan.days`` days before ``until``, person by person."""
    if items:
        yield from Crowd(items, until=until, plan=plan or Plan()).visits()


class Crowd:
    """The visitors of one site and their behaviour."""

    def __init__(self, items: Sequence[DemoItem], *, until: datetime, plan: Plan) -> None:
        self.items = items
        self.until = until
        self.plan = plan
        self.random = np.random.default_rng(plan.seed)
        # Of its own, for where people come from does not change where they go.
        self.chance = np.random.default_rng((plan.seed, 1))
        self.affinity: Floats = np.array([item.affinities for item in items], dtype=float)
        # A long tail: a few items are visited several times as often as most; stories more than goods.
        reach = np.array([KIND_REACH.get(item.kind, 1.0) for item in items])
        self.fame: Floats = self.random.lognormal(0, 0.7, len(items)) * reach
        folders = {folder: n for n, folder in enumerate(sorted({item.folder for item in items}))}
        self.folder = np.array([folders[item.folder] for item in items])

    def visits(self) -> Iterator[Visit]:
        tastes = self.affinity.shape[1]
        for number in range(self.plan.visitors):
            mine = self.random.choice(tastes, size=min(2, tastes), replace=False)
            for start in self.session_starts():
                favourite = mine[0] if self.random.random() < 0.75 else mine[-1]
                yield from self.session(f"visitor-{number}", taste=int(favourite), start=start)

    def session_starts(self) -> list[datetime]:
        count = 1 + self.random.poisson(2.2)
        days = self.random.uniform(0, self.plan.days, count)
        hours = self.random.choice(24, count, p=DAY / DAY.sum())
        midnight = self.until.replace(hour=0, minute=0, second=0, microsecond=0)
        minutes = self.random.uniform(0, 60, count)
        starts = [
            midnight - timedelta(days=int(day)) + timedelta(hours=int(hour), minutes=float(minute))
            for day, hour, minute in zip(days, hours, minutes, strict=True)
        ]
        return sorted(start for start in starts if start < self.until - timedelta(hours=1))

    def session(self, visitor: str, *, taste: int, start: datetime) -> Iterator[Visit]:
        at = start
        seen: list[int] = []
        for _ in range(1 + self.random.poisson(4)):
            chosen = self.next_item(taste=taste, seen=seen)
            if chosen is None:
                return
            scenario = SCENARIOS.get(self.items[seen[-1]].kind, (FRONT,))[0] if seen else FRONT
            seen.append(chosen)
            yield from self.followed(visitor, self.items[chosen], at=at, scenario=scenario, share=FOLLOWED)
            yield from self.page_view(visitor, self.items[chosen], at=at)
            at += timedelta(seconds=float(self.random.uniform(25, 240)))
        yield from self.checkout(visitor, seen, taste=taste, at=at)

    def next_item(self, *, taste: int, seen: list[int]) -> int | None:
        weight = self.fame.copy()
        if self.random.random() < TASTE_SHARE:
            weight = weight**0.5 * self.affinity[:, taste] ** 2
        if seen and self.random.random() < SAME_FOLDER:
            weight = weight * (self.folder == self.folder[seen[-1]])
        weight[seen] = 0
        total = weight.sum()
        return int(self.random.choice(len(weight), p=weight / total)) if total > 0 else None

    def followed(
        self, visitor: str, item: DemoItem, *, at: datetime, scenario: str, share: float
    ) -> Iterator[Visit]:
        """That a recommendation led to the item, in as many cases as ``share`` says."""
        if self.chance.random() < share:
            before = at - timedelta(seconds=1)
            yield self.visit(visitor, "clickrecommended", item, at=before, scenario=scenario)

    def page_view(self, visitor: str, item: DemoItem, *, at: datetime) -> Iterator[Visit]:
        yield self.visit(visitor, "click", item, at=at, category_path=item.folder)
        if item.kind in TIMED_KINDS and self.random.random() < READ_SHARE:
            percentage = int(self.random.integers(2, 11)) * 10
            yield self.visit(visitor, "consume", item, at=at + timedelta(seconds=20), percentage=percentage)
            if self.random.random() < RATE_SHARE:
                rating = int(self.random.integers(2, 6)) * 20
                yield self.visit(visitor, "rate", item, at=at + timedelta(seconds=40), rating=rating)

    def checkout(self, visitor: str, seen: list[int], *, taste: int, at: datetime) -> Iterator[Visit]:
        goods = [n for n in seen if self.items[n].kind == "product"]
        basket = [n for n in goods if self.random.random() < BASKET_SHARE]
        pays = bool(basket) and self.random.random() < BUY_SHARE
        if pays:
            more = self.companions(seen, taste=taste)
            for item in more:
                found = self.items[item]
                yield from self.followed(visitor, found, at=at, scenario="also_bought", share=FOLLOWED_TO_BUY)
                yield from self.page_view(visitor, found, at=at)
            basket += more
        for item in basket:
            yield self.visit(visitor, "basket", self.items[item], at=at + timedelta(seconds=30))
        for item in basket if pays else ():
            yield self.purchase(visitor, self.items[item], at=at + timedelta(minutes=3))

    def companions(self, seen: list[int], *, taste: int) -> list[int]:
        """Products of the same taste that were not looked at yet."""
        weight = np.array([item.kind == "product" for item in self.items]) * self.affinity[:, taste] ** 2
        weight[seen] = 0
        count = min(int(self.random.poisson(COMPANIONS)), int((weight > 0).sum()))
        if not count:
            return []
        chosen = self.random.choice(len(weight), count, replace=False, p=weight / weight.sum())
        return [int(n) for n in chosen]

    def purchase(self, visitor: str, item: DemoItem, *, at: datetime) -> Visit:
        quantity = 1 + int(self.random.random() < 0.1)
        return self.visit(visitor, "buy", item, at=at, quantity=quantity, price=item.price)

    def visit(self, visitor: str, event: str, item: DemoItem, *, at: datetime, **more: object) -> Visit:
        return Visit(
            visitor=visitor,
            event=event,
            item_type=item.item_type,
            item_id=item.item_id,
            at=at,
            **more,  # type: ignore[arg-type]
        )

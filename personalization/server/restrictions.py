"""A scenario's filters turned into what may be recommended to this user now (engine-protocol.md 6.4, 6.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.conf import settings

from personalization.server import editorial, rates
from personalization.server.allowed import Allowed
from personalization.server.artefacts import shelf
from personalization.server.candidates import Seed
from personalization.server.catalogue import Catalogue, Price
from personalization.server.categories import LearntPaths
from personalization.server.history import BLACKLIST, RENDERED, YEAR_SECONDS, History
from personalization.server.items.revisions import Key
from personalization.server.learning.base import DAY_SECONDS
from personalization.server.plans import Plan, list_of
from personalization.server.scenarios.filters import Filters

# How much of the top-selling model counts as top-selling.
TOP_SELLING = 50
OWNED = ("buy", "owns")


class Restrictions:
    """What the filters of one scenario mean for one request; read when the first model asks."""

    asked: Sequence[Seed] = ()  # the request's context

    def __init__(self, plan: Plan, customer_id: str, catalogue: Catalogue, history: History) -> None:
        self.plan = plan
        self.filters: Filters = plan.filters
        self.customer_id = customer_id
        self.catalogue = catalogue
        self.history = history
        history.expect(*sorted(self.codes))
        if self.filters.max_shows is not None:
            history.expect(RENDERED)

    @cached_property
    def codes(self) -> set[str]:
        """Events that take items away from whoever did them."""
        found = {BLACKLIST, *(OWNED if self.filters.exclude_purchased else ())}
        return found | ({"consume"} if self.filters.exclude_consumed else set())

    @property
    def personal(self) -> bool:
        """Whether the answer depends on what the user did."""
        return bool(self.history.users) and bool(
            self.filters.exclude_purchased or self.filters.exclude_consumed or self.filters.max_shows
        )

    def allowed(
        self,
        *,
        types: tuple[int, ...],
        below: tuple[str, ...],
        context: Sequence[Seed],
        now: float,
        tally: Counter[str] | None,
    ) -> Allowed:
        excluded = set(self.always)
        if self.filters.exclude_context_items:
            excluded |= {seed.key for seed in context}
        age = self.filters.max_item_age_days
        return Allowed(
            types=types,
            below=below,
            not_below=self.not_below,
            excluded=frozenset(excluded),
            least_prices=self.least_prices,
            priced=self.filters.priced,
            added_since=None if age is None else now - age * DAY_SECONDS,
            variants=self.filters.variants,
            now=now,
            tally=tally,
            learnt=self.learnt,
        )

    @cached_property
    def learnt(self) -> LearntPaths | None:
        """Categories from clicks, for customers who never sent a catalogue."""
        return None if self.catalogue.has_content else LearntPaths(self.customer_id)

    def context_paths(self) -> list[str]:
        """The categories of the context items, as the item store or the clicks know them."""
        of = self.learnt.of if self.learnt else self.catalogue.categories_of
        return list(dict.fromkeys(path for seed in self.asked for path in of(seed.key)))

    @cached_property
    def changed_at(self) -> datetime:
        """When the blacklists were written last."""
        written = (editorial.changed_at(self.customer_id, list_of(one)) for one in self.plan.blacklists)
        return max(written, default=editorial.NEVER)

    @cached_property
    def always(self) -> frozenset[Key]:
        """Items that are out whatever the level: blacklists, what the user had, what was shown enough."""
        found = {
            (kind, item)
            for one in self.plan.blacklists
            for kind, item, _ in editorial.read(self.customer_id, list_of(one))
        }
        if self.filters.exclude_top_selling:
            found |= self.top_selling()
        if self.history.users:
            found |= self.of_the_user()
        return frozenset(found)

    def of_the_user(self) -> set[Key]:
        history, codes = self.history, self.codes
        found = history.had([BLACKLIST], of=codes, seconds=YEAR_SECONDS)
        if self.filters.exclude_purchased:
            found |= history.had(OWNED, of=codes)
        if self.filters.exclude_consumed:
            found |= history.had(["consume"], of=codes, seconds=YEAR_SECONDS)
        if self.filters.max_shows is not None:
            shown = history.shown_in_session()
            found |= {key for key, times in shown.items() if times >= self.filters.max_shows}
        return found

    def top_selling(self) -> set[Key]:
        model = self.plan.top_selling
        artefact = shelf.current(self.customer_id, model.identifier) if model else None
        return {artefact.keys[row] for row in artefact.order[:TOP_SELLING].tolist()} if artefact else set()

    @cached_property
    def not_below(self) -> tuple[str, ...]:
        found = list(self.filters.excluded_categories)
        if self.filters.exclude_context_category:
            found += self.context_paths()
        return tuple(dict.fromkeys(found))

    @cached_property
    def least_prices(self) -> tuple[Price, ...]:
        """The lowest prices that pass: the filter's, and that of the cheapest context item."""
        found = []
        if self.filters.min_price is not None:
            found.append(Price(self.filters.min_price, settings.ACCOUNT_CURRENCY))
        if self.filters.exclude_cheaper:
            known = [price for seed in self.asked if (price := self.catalogue.price_of(seed.key)) is not None]
            if known:
                into = known[0].currency
                # What cannot be compared is NaN, which is below nothing: the first one keeps its place.
                found.append(min(known, key=lambda one: one.amount * rates.worth(one.currency, into=into)))
        return tuple(found)

"""What moves items up or down within an answer without taking any out: boosts and ``userattribute``
(engine-protocol.md 3.2, 6.4)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from personalization.server.artefacts import Artefact, shelf
from personalization.server.history import History
from personalization.server.items.revisions import Key
from personalization.server.plans import Plan

if TYPE_CHECKING:
    from personalization.server.recommend import Recommended, Request


class Preferences:
    """The preferences of one request; false where there are none."""

    def __init__(self, plan: Plan, request: Request, history: History) -> None:
        self.plan = plan
        self.request = request
        self.history = history

    def __bool__(self) -> bool:
        return self.personal

    @property
    def personal(self) -> bool:
        wanted = bool(self.plan.filters.boosts or self.request.user_attributes)
        return wanted and bool(self.history.users)

    def ordered(self, found: list[Recommended]) -> list[Recommended]:
        """The same items; each that is preferred moves as many places as its boosts add up to."""
        if not self:
            return found
        wanted = [one for _, one in sorted(enumerate(found), key=lambda pair: pair[0] - self.places(pair[1]))]
        return [one for one in wanted if one.key in self.liked_alike] + [
            one for one in wanted if one.key not in self.liked_alike
        ]

    def places(self, one: Recommended) -> float:
        if one.row is None or not self.active:
            return 0
        values = {(key, value) for key, _kind, value in one.row.attributes()}
        moved = sum(places for attribute, value, places in self.active if (attribute, value) in values)
        # Past the one whose place it takes.
        return moved + 0.5 if moved > 0 else moved - 0.5 if moved < 0 else 0

    @cached_property
    def active(self) -> list[tuple[str, str, int]]:
        """Item attribute, value and places of the boosts that the user's attributes trigger."""
        told = [tuple(trait.partition("=")[::2]) for trait in self.history.traits()]
        return [
            (boost.item_attribute, value, boost.places)
            for boost in self.plan.filters.boosts
            for key, value in told
            if key == boost.user_attribute
        ]

    @cached_property
    def liked_alike(self) -> set[Key]:
        """Items that people with the same values of the asked user attributes took to."""
        model = self.plan.stereotype
        if not self.request.user_attributes or model is None:
            return set()
        artefact = shelf.current(self.request.customer_id, model.identifier)
        return set() if artefact is None else liked(artefact, self.traits)

    @cached_property
    def traits(self) -> set[str]:
        wanted = set(self.request.user_attributes)
        return {one for one in self.history.traits() if one.partition("=")[0] in wanted}


def liked(artefact: Artefact, traits: set[str]) -> set[Key]:
    """The items in the lists of these traits of a stereotype model."""
    rows = [row for row, name in enumerate(artefact.sources) if name in traits]
    return {artefact.keys[one] for row in rows for one in artefact.neighbours[row].tolist() if one >= 0}

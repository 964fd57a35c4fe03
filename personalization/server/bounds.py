"""What may be set of the parameters of models, and in which bounds (engine-protocol.md 5.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from personalization.server.learning.base import Kind

Words = str | Promise
# The hour is the shortest relevant history; 999 of either unit are the most (5.2).
SHORTEST_WINDOW, LONGEST_WINDOW = 1 / 24, 999.0


@dataclass(frozen=True, kw_only=True)
class Bound:
    """From ``low`` to ``high``, both included. ``unit``: in words, "" for a plain number."""

    label: Words
    low: float = 0.0
    high: float = 1_000.0
    unit: Words = ""
    help: Words = ""

    def problem(self, value: float) -> str:
        """Why a number is not taken, "" where it is."""
        if math.isfinite(value) and self.low <= value <= self.high:
            return ""
        return gettext("Enter a number from %(low)g to %(high)g.") % {"low": self.low, "high": self.high}


DAYS, MINUTES, ITEMS = _("days"), _("minutes"), _("items")
BOUNDS: Mapping[str, Bound] = {
    "window_days": Bound(
        label=_("Relevant history"),
        low=SHORTEST_WINDOW,
        high=LONGEST_WINDOW,
        unit=DAYS,
        help=_(
            "The model learns from events of this period; usually 1 to 3 months of clicks,"
            " 3 to 6 of purchases."
        ),
    ),
    "half_life_days": Bound(
        label=_("Half-life of an event"),
        high=LONGEST_WINDOW,
        unit=DAYS,
        help=_("After this time an event counts half; 0: all count the same."),
    ),
    "item_age_days": Bound(
        label=_("Item age"), high=36_500, unit=DAYS, help=_("Older items are left out; 0: none is too old.")
    ),
    "within_days": Bound(label=_("Time between the two events"), low=0.01, high=LONGEST_WINDOW, unit=DAYS),
    "least_days": Bound(label=_("Shortest interval between purchases"), low=1, high=365, unit=DAYS),
    "pause_minutes": Bound(label=_("Pause that ends a visit"), low=1, high=1440, unit=MINUTES),
    "basket_minutes": Bound(
        label=_("Time within which purchases are one order"), low=1, high=1440, unit=MINUTES
    ),
    "history_cap": Bound(label=_("Newest events of a user that count"), low=1, high=10_000),
    "least_support": Bound(label=_("Users or orders that a pair needs"), low=1, high=10_000),
    "least_orders": Bound(label=_("Orders that a bundle needs"), low=1, high=10_000),
    "most_items": Bound(label=_("Items of a bundle at most"), low=2, high=20, unit=ITEMS),
    "least_ratings": Bound(label=_("Ratings that an item needs"), low=1, high=10_000),
    "periods": Bound(label=_("Periods that the history is cut into"), low=3, high=60),
    "damping": Bound(label=_("Damping of what is popular"), high=2),
    "shrinkage": Bound(label=_("Shrinkage of rare pairs"), high=10_000),
    "prior": Bound(label=_("Weight of the overall mean, in ratings"), high=10_000),
    "share": Bound(
        label=_("Share of the usual interval after which a repeat purchase is due"), low=0.1, high=1
    ),
    "user_weight": Bound(label=_("Weight of what one user bought in several orders"), high=1),
    "bestseller_share": Bound(label=_("Part of the items that are bestsellers"), high=1),
    "bestsellers_of_ten": Bound(label=_("At most this many bestsellers among ten items"), high=10),
    "candidates": Bound(label=_("Candidates for each item"), low=10, high=1_000),
    "penalty": Bound(label=_("Penalty (ridge)"), low=0.001, high=100_000),
    "reach": Bound(label=_("Items that the filter reaches"), low=1, high=10_000),
    "filter": Bound(label=_("Strength of the graph filter"), high=10),
    "recent": Bound(label=_("Newest visits looked at for an item"), low=10, high=100_000),
    "nearest": Bound(label=_("Nearest visits that count"), low=1, high=10_000),
    "position": Bound(label=_("What an item keeps of its weight for each step back"), high=1),
    "distance": Bound(label=_("What an item keeps for each step from the match"), high=1),
    "before": Bound(label=_("What an item keeps before the match"), high=1),
    "half_life": Bound(label=_("Half-life of a visit, as a part of all visits"), high=10),
    "repeat": Bound(label=_("Weight of items seen before; 0 leaves them out"), high=10),
    "follow": Bound(label=_("Weight of what follows the newest item"), high=10),
    "rarity": Bound(label=_("Power of the weight of rare items"), high=10),
    "from_event": Bound(label=_("First event")),
    "attributes": Bound(
        label=_("Attributes"),
        help=_("Separated by commas, each with its weight if that is not 1: author:2, color. Empty: all."),
    ),
    "texts": Bound(label=_("Texts"), help=_("Keys of long texts, separated by commas. Empty: all.")),
    "list": Bound(label=_("List"), help=_("Identifier of the list. Empty: that of the model.")),
}


def bound_of(name: str) -> Bound:
    """The bounds of a parameter; of one that is not in the table every number of a sensible size."""
    return BOUNDS.get(name) or Bound(label=name.replace("_", " "), low=0, high=1_000_000)


def problems(kind: Kind, parameters: Mapping[str, Any]) -> dict[str, str]:
    """By parameter why its value is not taken. Types are checked by ``registry.with_defaults``."""
    found = {}
    for name, value in parameters.items():
        if isinstance(kind.defaults.get(name), int | float) and (said := bound_of(name).problem(value)):
            found[name] = said
    return found

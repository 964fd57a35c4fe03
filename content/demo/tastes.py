"""Tastes of simulated visitors: what a food lover, a hiker, a diver would open.

Knows the catalogue only, so that any simulation may use it. An item is named by its translation key, which
is its remote id on the wire and the same in every installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from content.demo.catalogue import Entry, entries

# What somebody still opens without any matching interest, by chance or because it is on top.
CURIOSITY = 0.02


@dataclass(frozen=True, kw_only=True)
class Taste:
    """A kind of visitor: weights of tags, the share of visitors like this, and how readily they buy."""

    name: str
    tags: Mapping[str, float]
    share: float
    buys: float  # probability that an opened product ends in the basket

    def affinity(self, entry: Entry) -> float:
        """Return how strongly this taste is drawn to an entry, from CURIOSITY upwards.

        The mean weight of the best three tags: many tags alone must not make an item attractive.
        """
        weights = sorted((self.tags.get(tag, 0.0) for tag in entry.tags), reverse=True)[:3]
        return CURIOSITY + sum(weights) / 3


TASTES = (
    Taste(
        name="food lover",
        tags={
            "food": 1,
            "street-food": 1,
            "market": 0.9,
            "recipe": 0.9,
            "wine": 0.8,
            "coffee": 0.8,
            "tea": 0.8,
        },
        share=0.22,
        buys=0.10,
    ),
    Taste(
        name="hiker",
        tags={"hiking": 1, "mountains": 1, "camping": 0.9, "forest": 0.7, "winter": 0.7, "wildlife": 0.4},
        share=0.22,
        buys=0.16,
    ),
    Taste(
        name="city and culture",
        tags={"city": 0.9, "culture": 1, "architecture": 1, "museum": 1, "history": 0.8, "books": 0.8}
        | {"music": 0.7, "craft": 0.7},
        share=0.2,
        buys=0.07,
    ),
    Taste(
        name="beach and diving",
        tags={"diving": 1, "beach": 1, "islands": 1, "sea": 0.8, "sailing": 0.8, "wildlife": 0.6},
        share=0.14,
        buys=0.12,
    ),
    Taste(
        name="photographer",
        tags={"photography": 1, "light": 1, "night-sky": 0.9, "desert": 0.8, "night": 0.7, "wildlife": 0.4},
        share=0.12,
        buys=0.14,
    ),
    Taste(
        name="family",
        tags={"family": 1.6, "cycling": 0.6, "trains": 0.6, "packing": 0.5, "wildlife": 0.4},
        share=0.1,
        buys=0.15,
    ),
)


def affinities(taste: Taste) -> dict[str, float]:
    """Return the taste's affinity to every entry, by entry key."""
    return {entry.key: taste.affinity(entry) for entry in entries()}

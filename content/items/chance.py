"""Items chosen by chance, each as likely as any other, without walking through all of them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.db import models

from content.items.record import Item

# Up to so many numbers are read at once and drawn from; of more, numbers are guessed.
SMALL = 2_000
GUESSES = 500
ROUNDS = 6


def draw(counts: Sequence[int], most: int) -> list[int]:
    """Share ``most`` draws among groups of these sizes as drawing from all of their items would."""
    total = sum(counts)
    places = random.sample(range(total), min(most, total))
    shares, start = [], 0
    for count in counts:
        shares.append(sum(start <= place < start + count for place in places))
        start += count
    return shares


def numbers(rows: models.QuerySet[Item], count: int, most: int) -> list[int]:
    """Content ids of ``most`` of the ``count`` rows of a group in one language, in no order.

    In a large group numbers between the lowest and the highest id are guessed: those that exist are hit
    equally often. Where ids lie so far apart that guessing fails, the rest are found by their place.
    """
    ids = rows.order_by("content_id").values_list("content_id", flat=True)
    if count <= SMALL:
        known = list(ids)
        return random.sample(known, min(most, len(known)))
    ends = rows.aggregate(low=models.Min("content_id"), high=models.Max("content_id"))
    if ends["low"] is None:
        return []
    found: list[int] = []
    between = range(ends["low"], ends["high"] + 1)
    for _ in range(ROUNDS):
        guesses = random.sample(between, min(GUESSES, len(between)))
        hits = [hit for hit in ids.filter(content_id__in=guesses) if hit not in found]
        random.shuffle(hits)
        found += hits
        if len(found) >= most:
            return found[:most]
    for place in random.sample(range(count), min(count, most)):
        found += [number for number in ids[place : place + 1] if number not in found]
    return found[:most]

"""How many people audiences have in common, by their members (reference `cdp.md` 7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from django.db import connection

from cdp.audiences.models import Audience

MOST = 20  # audiences at once


class Pair(NamedTuple):
    """``first``, ``second``: keys of audiences; ``common``: members of both."""

    first: int
    second: int
    common: int


COMMON = """
    SELECT a.audience_id, b.audience_id, COUNT(*)
    FROM audiences_audiencemembership a
    JOIN audiences_audiencemembership b ON b.profile_id = a.profile_id AND b.audience_id > a.audience_id
    WHERE a.audience_id IN ({keys}) AND b.audience_id IN ({keys})
    GROUP BY a.audience_id, b.audience_id
"""


def overlap(audiences: Sequence[Audience]) -> list[Pair]:
    """Every pair of them, also those with nobody in common, by key."""
    keys = sorted({one.pk for one in audiences})[:MOST]
    if len(keys) < 2:
        return []
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(COMMON.format(keys=places), [*keys, *keys])
        counts = {(first, second): count for first, second, count in cursor.fetchall()}
    return [Pair(first, second, counts.get((first, second), 0)) for first, second in combinations(keys, 2)]

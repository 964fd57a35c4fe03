"""What all sources in force say of a profile together: of each attribute the value written last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from cdp.profiles import rows

Data = dict[str, list[Any]]  # attribute -> [value, when it was written]
PAGE = 5_000

SAID = """
    SELECT i.profile_id, c.data FROM given
    JOIN profiles_profileidentifier i ON i.profile_id = given.id
    JOIN profiles_contribution c ON c.identity_id = i.id
    JOIN profiles_source s ON s.id = c.source_id AND s.generation = c.generation
    ORDER BY c.source_id, c.identity_id
"""
STORE = """
    UPDATE profiles_profile SET attributes = given.data FROM given
    WHERE profiles_profile.id = given.id AND profiles_profile.attributes <> given.data
"""


def refresh(profiles: Iterable[int]) -> None:
    """Calculate the attributes of these profiles anew. The caller holds the account's lock."""
    for page in paged(profiles):
        newest: dict[int, Data] = {pk: {} for pk in page}
        for pk, data in rows.fetch(rows.given(id="int") + SAID, rows.listed((one,) for one in page)):
            overlay(newest[pk], orjson.loads(data))
        listed = rows.listed((pk, values_of(data)) for pk, data in newest.items())
        rows.write(rows.given(id="int", data="json") + STORE, listed)


def overlay(newest: Data, said: Data) -> None:
    for name, written in said.items():
        known = newest.get(name)
        if known is None or known[1] <= written[1]:
            newest[name] = written


def values_of(data: Data) -> dict[str, Any]:
    return {name: data[name][0] for name in sorted(data)}


def paged(keys: Iterable[int]) -> Iterator[list[int]]:
    listed = sorted(keys)
    for start in range(0, len(listed), PAGE):
        yield listed[start : start + PAGE]


# A consent is kept: a person who refused and comes back with the next delivery has refused still.
EMPTY = """
    SELECT p.id FROM given JOIN profiles_profile p ON p.id = given.id
    WHERE NOT EXISTS (SELECT 1 FROM profiles_interaction d WHERE d.profile_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM profiles_consent k WHERE k.profile_id = p.id)
    AND NOT EXISTS (
        SELECT 1 FROM profiles_profileidentifier i
        JOIN profiles_contribution c ON c.identity_id = i.id
        JOIN profiles_source s ON s.id = c.source_id AND s.generation <= c.generation
        WHERE i.profile_id = p.id
    )
"""


def drop_empty(profiles: Iterable[int]) -> int:
    """Remove those of whom no source says anything, or is about to, and who did nothing (reference 2.2)."""
    from cdp.profiles.models import Profile

    gone = 0
    for page in paged(profiles):
        empty = [
            pk for (pk,) in rows.fetch(rows.given(id="int") + EMPTY, rows.listed((one,) for one in page))
        ]
        if empty:
            Profile.objects.filter(pk__in=empty).delete()
            gone += len(empty)
    return gone

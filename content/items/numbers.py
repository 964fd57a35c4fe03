"""Content ids: one number per item for ever, the same in every language."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Max

from content.items.record import ContentId
from content.items.sources import ItemSource

# Items that are no pages count from here, so that they never take the number of a page to come.
FIRST_FREE = 1_000_000_000


def lock(source: ItemSource, keys: Collection[str]) -> dict[str, int]:
    """Return content ids by key, minting missing ones, and hold the keys until the transaction ends.

    Two processes that materialise the same item take turns, so that the later reading wins. SQLite's
    IMMEDIATE transactions take turns anyway. Call it inside ``transaction.atomic``.
    """
    known = _known(keys)
    if missing := set(keys) - known.keys():
        _mint(source, missing)
        known = _known(keys)
    return known


def _known(keys: Collection[str]) -> dict[str, int]:
    rows = ContentId.objects.select_for_update().filter(remote_id__in=keys).order_by("remote_id")
    return dict(rows.values_list("remote_id", "content_id"))


def _mint(source: ItemSource, keys: Collection[str]) -> None:
    wishes = source.numbers(keys)
    wanted = [
        ContentId(remote_id=key, content_id=number)
        for key, number in sorted(wishes.items())
        if number is not None
    ]
    ContentId.objects.bulk_create(wanted, ignore_conflicts=True)
    done = _known(wishes.keys())
    for key in sorted(wishes.keys() - done.keys()):
        _take_free_number(key)


def _take_free_number(key: str) -> None:
    highest = ContentId.objects.aggregate(highest=Max("content_id"))["highest"] or 0
    number = max(highest + 1, FIRST_FREE)
    with transaction.atomic():
        # Another process may take the same number; the next materialisation of this item tries again.
        ContentId.objects.bulk_create([ContentId(remote_id=key, content_id=number)], ignore_conflicts=True)

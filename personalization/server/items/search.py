"""Looking for items by what they are called and by what is stored of them (engine-protocol.md 7.9)."""

from __future__ import annotations

import json
import re

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from personalization.server.models import StoredItem

MOST_TYPES = 50
NAMES = ("title", "name")
# "color=red": the value of one attribute.
OF_ATTRIBUTE = re.compile(r"([A-Za-z0-9_]{1,64})\s*=\s*(.+)", re.DOTALL)


def types(customer_id: str) -> dict[int, str]:
    """The item types of a customer, each with its name; a short query for each."""
    found: dict[int, str] = {}
    last = 0
    while len(found) < MOST_TYPES:
        rows = StoredItem.objects.filter(customer_id=customer_id, item_type__gt=last)
        one = rows.order_by("item_type", "-added_at").values_list("item_type", "type_identifier").first()
        if one is None:
            break
        last, found[one[0]] = one
    return found


def matching(rows: QuerySet[StoredItem], text: str) -> QuerySet[StoredItem]:
    """Those of ``rows`` with ``text`` in their id or in any attribute, whatever its case.

    ``color=red`` asks for one attribute: its whole value must be the same, but for case.
    """
    text = text.strip()
    if not text:
        return rows
    rows = rows.annotate(told=Cast("attributes", TextField()))
    # SQLite keeps JSON as it was written, with every letter beyond ASCII escaped; PostgreSQL does not.
    spellings = {json.dumps(text), json.dumps(text, ensure_ascii=False)}
    if asked := OF_ATTRIBUTE.fullmatch(text):
        key, value = asked[1], asked[2]
        spellings = {json.dumps(value), json.dumps(value, ensure_ascii=False)}
        wanted = Q()
        for one in spellings:
            wanted |= Q(told__iregex=rf'\["{key}", "[A-Z]+", {escaped(one)}\]')
        return rows.filter(wanted)
    wanted = Q(item_id=text)
    for one in spellings:
        wanted |= Q(told__icontains=one[1:-1])
    return rows.filter(wanted)


def escaped(text: str) -> str:
    """Literal in the regular expressions of both databases."""
    return re.sub(r"([^\w\s\"',-])", r"\\\1", text)


def name_of(row: StoredItem) -> str:
    """What an item is called: its title, else its name, else nothing."""
    told = {key: value for key, _kind, value in reversed(row.attributes)}
    return next((str(told[name]) for name in NAMES if told.get(name)), "")


def named(customer_id: str, keys: set[tuple[int, str]]) -> dict[tuple[int, str], StoredItem]:
    """Items by type and id, each in its first language."""
    rows = StoredItem.objects.filter(
        customer_id=customer_id,
        item_type__in={kind for kind, _ in keys},
        item_id__in={item for _, item in keys},
    )
    found: dict[tuple[int, str], StoredItem] = {}
    for row in rows.order_by("language"):
        found.setdefault((row.item_type, row.item_id), row)
    return {key: row for key, row in found.items() if key in keys}

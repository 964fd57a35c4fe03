"""Items by number as one piece of bytes, made by the database: the shortest way to an engine's list.

A list of 100 items is 110 kB. Taking its rows apart, sorting and joining them again took a third of the time
that the answer takes beyond Django's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

# The cross join keeps the asked order for the outer loop; the plus keeps SQLite from walking the whole site.
SQLITE = """
    SELECT CAST(group_concat(body, ',') AS BLOB), group_concat(state, ',') FROM (
        SELECT CAST(payload AS TEXT) AS body, content_item.id || ':' || updated_at AS state
        FROM json_each(%s) AS asked CROSS JOIN content_item ON content_id = asked.value
        WHERE +site_id = %s AND is_visible{language}
        ORDER BY asked.key, language
    )
"""
POSTGRESQL = """
    SELECT string_agg(payload, ','::bytea ORDER BY place, language),
           string_agg(content_item.id || ':' || updated_at, ',' ORDER BY place, language)
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS asked (number, place)
    JOIN content_item ON content_id = asked.number
    WHERE site_id = %s AND is_visible{language}
"""


@dataclass(frozen=True)
class Joined:
    """Items as JSON with commas between them, b"" for none; ``state`` is another after any change to them."""

    body: bytes
    state: str


def joined_by_number(site_id: int, content_ids: Sequence[int], *, language: str = "") -> Joined:
    """A site's visible items with these numbers in their order, each once; "" is every language."""
    if not content_ids:
        return Joined(b"", "")
    sqlite = connection.vendor == "sqlite"
    sql = (SQLITE if sqlite else POSTGRESQL).format(language=" AND language = %s" if language else "")
    numbers: Any = orjson.dumps(content_ids).decode() if sqlite else list(content_ids)
    with connection.cursor() as cursor:
        cursor.execute(sql, (numbers, site_id, *([language] if language else [])))
        body, state = cursor.fetchone()
    return Joined(bytes(body or b""), state or "")

"""The columns of the lake and how rows of the events table become them. docs/lake.md describes each."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracking.collector.rows import OF_PERSON

TEXTS = (
    *("event", "user", "item_id", "currency", "category_path", "scenario"),
    *("model_id", "request_uuid", "segments", "lang", "trigger_name", "event_id", "order_id"),
)
NUMBERS = ("item_type", "quantity", "percentage", "rating", "seq")  # NULL is written as -1 on the way
COLUMNS = ("id", "customer_id", *TEXTS, *NUMBERS, "ts", "received", "price")
CUSTOMER, USER = COLUMNS.index("customer_id"), COLUMNS.index("user")
PERSONAL = frozenset(COLUMNS.index(name) for name in OF_PERSON)
TS, RECEIVED = COLUMNS.index("ts"), COLUMNS.index("received")
PARQUET = """
    SELECT id, event, "user", nullif(item_type, -1)::INTEGER AS item_type, item_id, ts, received,
        nullif(quantity, -1)::INTEGER AS quantity,
        CASE WHEN isnan(price) THEN NULL ELSE price::DECIMAL(18, 4) END AS price, currency,
        nullif(percentage, -1)::SMALLINT AS percentage, nullif(rating, -1)::SMALLINT AS rating,
        category_path, scenario, model_id, request_uuid, segments, lang, trigger_name,
        nullif(event_id, '')::VARCHAR AS event_id, seq::SMALLINT AS seq,
        order_id
"""


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows as one array per column, the form in which DuckDB reads without copying values one by one."""
    arrays: dict[str, Any] = {}
    for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        if name in NUMBERS:
            arrays[name] = np.array([-1 if v is None else v for v in values], dtype=np.int64)
        elif name == "price":
            arrays[name] = np.array([np.nan if v is None else float(v) for v in values])
        elif name in ("id", "ts", "received"):
            arrays[name] = np.array(values, dtype=np.int64)
        else:
            # A column without any value would have no type.
            arrays[name] = np.array([value or "" for value in values], dtype=object)
    return arrays

"""What is known of events: their properties, and which operators fit which kind of value.

Other names are properties that came with the event, whose values may be texts, numbers or booleans.
"""

from __future__ import annotations

import re

# Kind of a value: text, number, array, moment, any (whatever stands there).
PROPERTIES = {
    "product_id": "text",
    "product_name": "text",
    "category": "text",  # the leaf
    "category_path": "array",  # ids from the top
    "brand": "text",
    "order_id": "text",
    "session": "text",
    "item_type": "text",
    "source": "text",
    "currency": "text",
    "quantity": "number",
    "price": "number",
    "subtotal": "number",
    "percentage": "number",
    "rating": "number",
}
ALIASES = {"product": "product_id"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")

SAME = {"eq", "ne", "in", "not_in", "is_empty", "is_not_empty"}
ORDER = {"gt", "gte", "lt", "lte", "between"}
TEXTS = {"contains", "not_contains", "starts_with", "ends_with", "regex"}
LISTS = {"has_any", "has_all", "has_none"}
TIMES = {"before", "after", "in_last", "in_next", "anniversary_in_next"}
TRUTHS = {"is_true", "is_false"}
OPERATORS = {
    "text": SAME | TEXTS,
    "number": SAME | ORDER,
    "array": LISTS | {"is_empty", "is_not_empty"},
    "moment": ORDER | (TIMES - {"anniversary_in_next"}) | {"is_empty", "is_not_empty"},
    "any": SAME | ORDER | TEXTS | LISTS | TIMES | TRUTHS,
}
# Which operators can hold for an attribute of a type; for others a definition is saved with a warning.
FITTING = {
    "string": SAME | TEXTS,
    "integer": SAME | ORDER,
    "decimal": SAME | ORDER,
    "boolean": TRUTHS | {"eq", "ne", "is_empty", "is_not_empty"},
    "date": SAME | ORDER | TIMES,
    "datetime": SAME | ORDER | TIMES,
    "array": OPERATORS["array"],
}


def kind_of(name: str) -> str:
    return PROPERTIES.get(name, "any")

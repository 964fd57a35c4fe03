"""How deep documents from outside may be nested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Of lists and objects in each other. What reads JSON takes over 1,000, what writes it gives up at 255, and
# Python's own functions at about 1,000, which would be an error of ours where the document is at fault.
MOST_DEPTH = 64


def is_deep(document: object) -> bool:
    """Whether lists and objects of a JSON document are in each other more than :data:`MOST_DEPTH` times."""
    level: list[Any] = [document] if isinstance(document, dict | list) else []
    for _ in range(MOST_DEPTH):
        level = [each for one in level for each in inside(one) if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def inside(one: Any) -> Iterable[Any]:
    return one.values() if isinstance(one, dict) else one

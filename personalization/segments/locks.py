"""Groups that somebody else keeps: what a customer data platform fills, nobody changes by hand.

Parts above register what names the groups they keep; nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_holders: list[Callable[[], Iterable[str]]] = []


def register(holder: Callable[[], Iterable[str]]) -> Callable[[], Iterable[str]]:
    """``holder`` returns the identifiers of the groups that it keeps at the time."""
    _holders.append(holder)
    return holder


def is_locked(group: str) -> bool:
    """Whether the group of this identifier is kept by somebody else."""
    return any(group in holder() for holder in _holders)

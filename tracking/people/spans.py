"""A person as the tables know them: pseudonyms, each with the time in which its events are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from tracking.queries import END_OF_TIME

BEGINNING = -1


@dataclass(frozen=True, slots=True)
class Span:
    """Events of ``user`` with ``after < ts <= until``, microseconds in UTC."""

    customer_id: str
    user: str
    after: int = BEGINNING
    until: int = END_OF_TIME

"""How far the reader of the event debugger has come, in a text that the page sends back.

On PostgreSQL a row may appear below one that was shown already. So a mark knows up to which id everything is
decided, and which rows above that were shown; everything else above it is still new.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_SHOWN = 100  # rows of a table at a time
MOST_REMEMBERED = 300  # a mark travels in an address
WRITTEN = re.compile(rf"[0-9]{{1,18}}(?:\.[0-9]{{1,18}}){{0,{MOST_REMEMBERED}}}")


@dataclass(frozen=True)
class Mark:
    """Everything up to ``floor`` was seen, and of what is above it ``above``."""

    floor: int = 0
    above: frozenset[int] = frozenset()

    def moved(self, *, settled: int, shown: list[int]) -> Mark:
        """The mark after rows were ``shown``, the newest first, and nothing up to ``settled`` can still come.

        Of more rows than are shown at once the oldest are never shown.
        """
        floor = max(self.floor, settled, shown[-1] - 1 if len(shown) >= MOST_SHOWN else 0)
        above = sorted((one for one in self.above | set(shown) if one > floor), reverse=True)
        if len(above) > MOST_REMEMBERED:
            floor = above[MOST_REMEMBERED]
        return Mark(floor, frozenset(above[:MOST_REMEMBERED]))

    def as_text(self) -> str:
        """`floor.distance.distance`"""
        return ".".join(map(str, (self.floor, *sorted(one - self.floor for one in self.above))))

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """Nonsense means that nothing was seen."""
        if not WRITTEN.fullmatch(text):
            return cls()
        floor, *distances = map(int, text.split("."))
        return cls(floor, frozenset(floor + distance for distance in distances))


@dataclass(frozen=True)
class Seen:
    """The marks in both tables."""

    events: Mark = Mark()
    refusals: Mark = Mark()

    def as_text(self) -> str:
        return f"{self.events.as_text()}-{self.refusals.as_text()}"

    @classmethod
    def from_text(cls, text: str) -> Seen:
        """Nonsense means that nothing was seen."""
        marks = [Mark.from_text(piece) for piece in text.split("-")]
        return cls(*marks) if len(marks) == 2 else cls()

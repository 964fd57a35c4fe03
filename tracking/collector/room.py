"""How much of unfinished bodies all connections of a collector hold together."""

from __future__ import annotations

MOST_HELD_BYTES = 67_108_864


class Room:
    """Counts bytes. One a process, in its event loop."""

    def __init__(self, most: int = MOST_HELD_BYTES) -> None:
        self.most = most
        self.held = 0

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more; they are counted if so."""
        if self.held + size > self.most:
            return False
        self.held += size
        return True

    def give_back(self, size: int) -> None:
        self.held -= size

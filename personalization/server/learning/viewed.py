"""History: what the user saw or bought, read for each request, so there is nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from personalization.server.learning.base import Learned, register
from personalization.server.learning.events import History


@register
class LastSeen:
    """The user's own items, the latest first (engine-protocol.md 5.1, history)."""

    name: ClassVar[str] = "history"
    needs_context: ClassVar[bool] = True
    trained: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, float]] = {}

    def learn(self, history: History, *, parameters: Mapping[str, float]) -> Learned:
        """Nothing: the user's events are the model."""
        return Learned(keys=[], events=history.events)

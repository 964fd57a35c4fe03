"""Recently added: computed for each request from the item store, so there is nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from personalization.server.learning.base import Learned, register
from personalization.server.learning.events import History


@register
class RecentlyAdded:
    """Newest items first, up to an age."""

    name: ClassVar[str] = "recently_added"
    needs_context: ClassVar[bool] = False
    trained: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, float]] = {"item_age_days": 365.0}

    def learn(self, history: History, *, parameters: Mapping[str, float]) -> Learned:
        """Nothing: the item store is the model."""
        return Learned(keys=[], events=history.events)

"""Recently added: computed for each request from the item store, so there is nothing to learn."""

from __future__ import annotations

from typing import ClassVar

from personalization.server.learning.base import Kind, Parameters, Serves, register


@register
class RecentlyAdded(Kind):
    """Newest items first, up to an age."""

    name: ClassVar[str] = "recently_added"
    serves: ClassVar[Serves] = Serves.NEWEST
    trained: ClassVar[bool] = False
    defaults: ClassVar[Parameters] = {"item_age_days": 365.0}

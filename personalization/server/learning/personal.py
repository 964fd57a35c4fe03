"""Kinds that read a user's or a segment's events for each request, so that there is nothing to learn
(engine-protocol.md 5.1, 5.5)."""

from __future__ import annotations

from typing import ClassVar

from personalization.server.learning.base import Kind, Parameters, Serves, register


class OnTheFly(Kind):
    """Shared by the kinds of this page."""

    trained: ClassVar[bool] = False


@register
class LastSeen(OnTheFly):
    """The user's own items, the latest first."""

    name: ClassVar[str] = "history"
    serves: ClassVar[Serves] = Serves.HISTORY


@register
class RecurringPurchase(OnTheFly):
    """What the user buys again and again, from ``share`` of the usual interval on until it is bought.

    ``least_days``: a shorter interval is no rhythm.
    """

    name: ClassVar[str] = "recurring_purchase"
    serves: ClassVar[Serves] = Serves.DUE
    defaults: ClassVar[Parameters] = {"window_days": 730.0, "share": 0.8, "least_days": 4.0}


@register
class SegmentNewest(OnTheFly):
    """Items that members of one segment clicked or bought last, by the model's event code."""

    name: ClassVar[str] = "segment_newest"
    serves: ClassVar[Serves] = Serves.SEGMENT_NEWEST
    defaults: ClassVar[Parameters] = {"window_days": 10.0}


@register
class SegmentRecurring(OnTheFly):
    """What members of one segment buy again and again, when their stock must be running out."""

    name: ClassVar[str] = "segment_recurring"
    serves: ClassVar[Serves] = Serves.SEGMENT_DUE
    defaults: ClassVar[Parameters] = {"window_days": 365.0, "share": 0.8}

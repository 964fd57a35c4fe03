"""One after the other: the deliveries of a dataflow, and what processes them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from cdp.webhook.lane import arriving, changing


def intake(dataflow: int) -> AbstractContextManager[None]:
    """A transaction in which nothing else is delivered to the dataflow, and its state stays."""
    return arriving(f"dataflow:{dataflow}")


def processing(dataflow: int) -> AbstractContextManager[None]:
    """A transaction in which nobody else processes what was delivered. Never take :func:`intake` within."""
    return changing(f"dataflow:{dataflow}")

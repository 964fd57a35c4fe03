"""News of exports for the parts above."""

from __future__ import annotations

from django.dispatch import Signal

# With ``place: str``, the entry of the schedule as messages name it, ``account: int | None``, the number of
# the account that it sends to where the entry says so, and ``error: str``, "" where the run went well.
scheduled_ended = Signal()

"""News of profiles for the parts above, sent once what they tell of is committed."""

from __future__ import annotations

from django.dispatch import Signal

# With ``account: int`` (its key) and ``identifiers: list[tuple[str, str]]``: kind and digest of each name
# that is gone for good. Whatever was told others of these people is to be taken back.
erased = Signal()

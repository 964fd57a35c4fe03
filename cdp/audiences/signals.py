"""News of audiences for the parts above, sent once what they tell of is committed."""

from __future__ import annotations

from django.dispatch import Signal

# With ``audience: int`` (its key) and ``sequence: int``; its members are those of that calculation now.
calculated = Signal()

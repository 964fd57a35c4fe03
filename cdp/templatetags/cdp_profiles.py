"""Times and amounts of profiles, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django import template

from cdp.profiles.models import UNITS

register = template.Library()


@register.filter
def moment(ts: int) -> str:
    """Microseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(ts / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def amount(units: int | None) -> str:
    """Ten-thousandths as a number; nothing for none."""
    if units is None:
        return ""
    return f"{(Decimal(units) / UNITS).normalize():f}"

"""Reports for the dashboard, kept for a minute each: a page needs up to three of them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache

from personalization.server.statistics.report import Report, report
from personalization.server.statistics.spans import Span

KEPT_SECONDS = 60
# What lies in the past changes by late events and erasures alone.
PAST_SECONDS = 600


def figures(customer_id: str, span: Span, *, kept: int = KEPT_SECONDS) -> Report:
    """What :func:`report` says. A report names items and scenarios, and no user."""
    moments = ":".join(f"{one.timestamp():.0f}" for one in (span.begin, span.end))
    key = f"dashboard:1:{customer_id}:{moments}:{settings.ACCOUNT_CURRENCY}"
    found: Report | None = cache.get(key)
    if found is None:
        found = report(customer_id, span)
        cache.set(key, found, kept)
    return found


def before(customer_id: str, span: Span) -> Report:
    """The report of the range of the same length before this one."""
    length: timedelta = span.end - span.begin
    earlier = Span(begin=span.begin - length, end=span.begin, slice=span.slice)
    return figures(customer_id, earlier, kept=PAST_SECONDS)

"""Whose figures a page of the back office shows."""

from __future__ import annotations

from django.http import HttpRequest

from config.customers.directory import directory


def customers() -> list[tuple[str, str]]:
    """Id, and what to call it, of every customer of the embedded engine."""
    found = sorted(directory.all(), key=lambda one: one.customer_id)
    return [(one.customer_id, f"{one.customer_id} {one.name}".strip()) for one in found]


def chosen(request: HttpRequest) -> str | None:
    """The customer of the address, or the first one; None without any, and for one that is unknown."""
    known = [customer_id for customer_id, _ in customers()]
    wanted = request.GET.get("customer", "")
    if wanted:
        return wanted if wanted in known else None
    return known[0] if known else None

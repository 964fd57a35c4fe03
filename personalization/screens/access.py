"""Which customers of the engine somebody may see and change in the back office."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest

from config.customers import reach
from config.customers.directory import CustomerAccount
from config.customers.reach import anywhere, customers

__all__ = ["anywhere", "choices", "chosen", "customer_ids", "customers", "may"]

VIEW_MODELS, CHANGE_MODELS = "engine.view_model", "engine.change_model"
VIEW_SCENARIOS, CHANGE_SCENARIOS = "engine.view_scenario", "engine.change_scenario"
VIEW_TESTS, CHANGE_TESTS = "engine.view_scenariotest", "engine.change_scenariotest"
VIEW_ITEMS = "engine.view_storeditem"
VIEW_FIGURES = "engine.view_callcount"


def customer_ids(user: Any, *permissions: str) -> list[str]:
    return [one.customer_id for one in customers(user, *permissions)]


def may(user: Any, permission: str, customer_id: str) -> bool:
    return customer_id in customer_ids(user, permission)


def is_limited(user: Any, *permissions: str) -> bool:
    """Whether somebody sees single sites only."""
    return reach.sites(user, *permissions) is not None


def choices(user: Any, *permissions: str) -> list[tuple[str, str]]:
    """For a filter: id and what it is called."""
    return [
        (one.customer_id, f"{one.customer_id} {one.name}".strip()) for one in customers(user, *permissions)
    ]


def chosen(request: HttpRequest, *permissions: str) -> str | None:
    """The customer of the address, or the first one; None without any, and for one that may not be seen."""
    known = customer_ids(request.user, *permissions)
    wanted = request.GET.get("customer", "")
    if wanted:
        return wanted if wanted in known else None
    return known[0] if known else None


def of_form(request: HttpRequest, *permissions: str) -> CustomerAccount:
    """Whose row a form makes: as it was sent, else as the address says, else the first customer's.

    Raises 404 for a customer that was sent and is not the user's, so that nothing is made for another one.
    """
    known = {one.customer_id: one for one in customers(request.user, *permissions)}
    sent = request.POST.get("customer")
    if not known or (sent and sent not in known):
        raise Http404
    return known.get(sent or request.GET.get("customer", "")) or next(iter(known.values()))

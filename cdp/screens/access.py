"""Which accounts of customer data somebody may see and change in the back office.

An account belongs to the sites whose entries of the sites file name its number, and to those of the customers
that feed it (:mod:`config.customers.reach`).
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from wagtail.permissions import register_permission_policy

from cdp import configuration
from cdp.profiles import accounts as all_of_them
from cdp.profiles.models import Account, Feed
from config import site_access
from config.customers import reach
from config.customers.reach import anywhere
from personalization.screens.permissions import PerSite

__all__ = ["accounts", "anywhere", "filtered", "keep", "may", "visible"]

Sites = frozenset[int] | None
ACCOUNT_NUMBERS = "_lodestar_account_numbers"  # of a user, for one request


def accounts(user: Any, *permissions: str) -> list[Account]:
    """The accounts for which somebody has all of these permissions, in the order of their numbers."""
    known = all_of_them.all_accounts()
    for permission in permissions:
        numbers = numbers_for(user, permission)
        known = [one for one in known if numbers is None or one.number in numbers]
    return known


def may(user: Any, permission: str, account: Account) -> bool:
    numbers = numbers_for(user, permission)
    return numbers is None or account.number in numbers


def numbers_for(user: Any, permission: str) -> frozenset[int] | None:
    """Looked up once for each user object and set of sites: a list asks for every button of every row."""
    where = reach.sites(user, permission)
    known: dict[Sites, frozenset[int] | None] = user.__dict__.setdefault(ACCOUNT_NUMBERS, {})
    if where not in known:
        known[where] = numbers_of(where)
    return known[where]


def visible(rows: QuerySet[Any], user: Any, *permissions: str, account: str = "account__") -> QuerySet[Any]:
    """Those of the rows in whose account somebody has one of the permissions.

    ``account``: how the account of a row is named in a query; "" for accounts themselves.
    """
    return within(rows, reach.sites(user, *permissions), account=account)


def within(rows: QuerySet[Any], where: Sites, *, account: str = "account__") -> QuerySet[Any]:
    numbers = numbers_of(where)
    return rows if numbers is None else rows.filter(**{f"{account}number__in": numbers})


def numbers_of(where: Sites) -> frozenset[int] | None:
    """The numbers of the accounts that belong to one of the sites; None for all."""
    if not where:
        return None if where is None else frozenset()
    entries, roots = site_access.current_file().sites_with_cdp, site_access.wagtail_sites()
    declared = {
        site.account_number
        for name, site in configuration.current().sites.items()
        if name in entries and roots.get(entries[name].root) in where
    }
    fed = Feed.objects.filter(customer_id__in=reach.customers_of(where))
    numbers = {*declared, *fed.values_list("account__number", flat=True)}
    return frozenset(one for one in numbers if one is not None)


class OfAccounts(PerSite):
    """A permission policy of rows that belong to accounts."""

    def reaches(self, user: Any, actions: Any, instance: Any) -> bool:
        return any(may(user, name, instance.account) for name in self.names(actions))

    def of_sites(self, rows: QuerySet[Any], where: frozenset[int]) -> QuerySet[Any]:
        return within(rows, where)


def keep(model: type[Model], *more: str) -> None:
    """Let rows of a model be seen and changed by account. ``more``: permissions beside those two."""
    register_permission_policy(model, OfAccounts(model, "view", "change"))
    reach.register(*more)


def filtered(request: HttpRequest | None) -> QuerySet[Account]:
    """The accounts to choose from in a filter: those that somebody knows of anyway."""
    rows = Account.objects.order_by("number")
    return rows if request is None else visible(rows, request.user, *reach.offered(), account="")

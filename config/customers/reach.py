"""Which customers somebody may see and change: all of them, or those of some sites.

A permission of Django's reaches every customer. The same permission held for a site of Wagtail (a row of
`GroupSitePermission`, given in the form of a group) reaches the customers that an entry of the sites file
with this site as its root names. Entries that share a customer share its data, so one of its sites is enough.
A customer that no entry names belongs to no site: only the permission for everything reaches it.

Whoever asks ``user.has_perm`` asks for everything; a screen that narrows what it looks up asks here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps

from config import site_access
from config.customers.directory import CustomerAccount, directory

SITE_PERMISSIONS = "_lodestar_site_permissions"  # of a user, for one request
_offered: list[str] = []


def register(*permissions: str) -> None:
    """Permissions that can be given for single sites; for the hooks of the layers, while they are loaded."""
    _offered.extend(one for one in permissions if one not in _offered)


def offered() -> tuple[str, ...]:
    return tuple(_offered)


def sites(user: Any, *permissions: str) -> frozenset[int] | None:
    """Keys of the sites for which a user has one of the permissions; None for everything."""
    if any(user.has_perm(one) for one in permissions):
        return None
    held = site_permissions(user)
    return frozenset().union(*(held.get(one, ()) for one in permissions))


def site_permissions(user: Any) -> dict[str, frozenset[int]]:
    """Permission -> keys of the sites it is held for; one query for each user object."""
    known: dict[str, frozenset[int]] | None = getattr(user, SITE_PERMISSIONS, None)
    if known is None:
        known = read(user) if user.is_authenticated and user.is_active else {}
        setattr(user, SITE_PERMISSIONS, known)
    return known


def read(user: Any) -> dict[str, frozenset[int]]:
    # By name, for this layer knows no other application.
    rows = apps.get_model("wagtailcore", "GroupSitePermission")._default_manager.filter(group__user=user)
    found: dict[str, set[int]] = {}
    columns = ("permission__content_type__app_label", "permission__codename", "site_id")
    for app_label, codename, site in rows.values_list(*columns):
        found.setdefault(f"{app_label}.{codename}", set()).add(site)
    return {name: frozenset(keys) for name, keys in found.items() if name in _offered}


def anywhere(user: Any, *permissions: str) -> bool:
    """Whether a user has one of the permissions, be it for a single site."""
    return sites(user, *permissions) != frozenset()


def customers(user: Any, *permissions: str) -> list[CustomerAccount]:
    """The customers for whom a user has one of these permissions, in the order of their ids."""
    where = sites(user, *permissions)
    if where == frozenset():
        return []
    found = sorted(directory.all(), key=lambda one: one.customer_id)
    if where is None:
        return found
    known = customers_of(where)
    return [one for one in found if one.customer_id in known]


def customers_of(where: Collection[int]) -> frozenset[str]:
    """The ids of the customers that belong to one of these sites."""
    roots = site_access.wagtail_sites()
    entries = site_access.configured_sites()
    return frozenset(str(one.customer_id) for one in entries if roots.get(one.root) in where)


def may(user: Any, permission: str, customer_id: str) -> bool:
    where = sites(user, permission)
    return where is None or (where != frozenset() and customer_id in customers_of(where))

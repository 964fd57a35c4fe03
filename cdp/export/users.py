"""Rows of users. Nobody is left out by default; of an account only what stands here goes out, and what
processors add."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from cdp.export.hooks import Row, user_processors, user_querysets, user_type, user_types
from cdp.export.values import RowError
from config.site_access import SiteAccess

PAGE = 500
# Accounts that stand for whoever has none: that of the reference's platform and that of django-guardian.
ANONYMOUS = frozenset({"anonymous", "anonymoususer"})
NEVER = frozenset({"password"})


@user_type("user")
def everybody() -> QuerySet[Any]:
    return get_user_model()._default_manager.all()


def rows_of(queryset: QuerySet[Any], *, first: Any = None) -> Iterator[Any]:
    """The users in the order of their keys, from ``first`` on.

    Keyset pages: memory is flat, no transaction stays open, and a run that broke off goes on where it was.
    """
    ordered = queryset.order_by("pk")
    page = list((ordered if first is None else ordered.filter(pk__gte=first))[:PAGE])
    while page:
        yield from page
        page = list(ordered.filter(pk__gt=page[-1].pk)[:PAGE])


def queryset_of(identifier: str, site: SiteAccess) -> QuerySet[Any]:
    queryset = user_types[identifier]()
    for narrow in user_querysets.all():
        queryset = narrow(queryset, site)
    return queryset


def is_anonymous(user: Any) -> bool:
    return str(user.get_username()).lower() in ANONYMOUS


def row_of(user: Any) -> Row:
    """One user's row. Raises :class:`RowError`."""
    login = user.get_username()
    row: Row = {
        "id": user.pk,
        "login": login,
        "email": getattr(user, "email", "") or "",
        "name": user.get_full_name() or login,
        "companies": [],
    }
    for processor in user_processors.all():
        row = processed(processor, row, user)
    return row


def processed(processor: Any, row: Row, user: Any) -> Row:
    name = getattr(processor, "__name__", type(processor).__name__)
    try:
        found = processor(row, user)
    except Exception as error:  # a project's own code may fail in any way; the other users still go out
        raise RowError("processor", f"{name} raised {type(error).__name__}: {error}") from error
    if not isinstance(found, dict):
        raise RowError("processor", f"{name} returned a {type(found).__name__}, not a row")
    if secret := NEVER & found.keys():
        raise RowError("secret", f"{name} added {min(secret)!r}, which never leaves the site")
    return found

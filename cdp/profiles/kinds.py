"""Kinds of names for people, such as ``userid``: the only writer of their rows after an account is made.

A kind is never edited, deleted or named again (reference `cdp.md` 2.1). Once it is deactivated nothing is
joined or named by it any more. Names of it that are there already stay with their people, so that these can
still be shown, exported and erased.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext

from cdp.profiles.identifiers import NAME
from cdp.profiles.models import Account, PersonIdentifier, ProfileIdentifier

# A kind -> what of a part above uses it, each as words that fit behind "is used by".
Uses = Callable[[PersonIdentifier], list[str]]
_uses: list[Uses] = []


class KindFault(ValueError):
    """``code``: bad_name, name_taken, in_use, not_active, unknown_account. The message is a sentence; nothing
    has changed."""

    def __init__(self, code: str, sentence: str, *, field: str = "name") -> None:
        super().__init__(sentence)
        self.code, self.field = code, field


def register(uses: Uses) -> Uses:
    """For the parts above: what they use keeps a kind from being deactivated."""
    _uses.append(uses)
    return uses


def active(account: Account) -> list[str]:
    """The names that may be chosen, system identifiers first."""
    rows = PersonIdentifier.objects.filter(account=account, active=True)
    return list(rows.order_by("pk").values_list("name", flat=True))


def deactivated(account: Account) -> frozenset[str]:
    rows = PersonIdentifier.objects.filter(account=account, active=False)
    return frozenset(rows.values_list("name", flat=True))


def add(account: Account, name: str) -> PersonIdentifier:
    """A new kind. Raises :class:`KindFault`, also for a name that only a deactivated kind has."""
    name = name.strip()
    if not NAME.match(name):
        raise KindFault(
            "bad_name",
            gettext(
                "A name has 1 to 64 letters, digits, - and _, and begins with a letter or _; got %(name)s."
            )
            % {"name": repr(name[:40])},
        )
    try:
        with transaction.atomic():
            return PersonIdentifier.objects.create(account=account, name=name)
    except IntegrityError:
        raise taken(account, name) from None


def taken(account: Account, name: str) -> KindFault:
    known = PersonIdentifier.objects.get(account=account, name__iexact=name)
    if known.active:
        words = gettext("There is a person identifier %(name)s already.")
    else:
        words = gettext("%(name)s was deactivated, and its name is never used again. Choose another name.")
    return KindFault("name_taken", words % {"name": known.name})


def deactivate(kind: PersonIdentifier) -> None:
    """Take a kind out of use, for good. Raises :class:`KindFault` while anything in force uses it."""
    with transaction.atomic():
        row = lock(kind.account, [kind.name]).get()
        if not row.active:
            raise KindFault("not_active", gettext("%(name)s is deactivated already.") % {"name": kind.name})
        if used := used_by(row):
            sentence = gettext("%(name)s is used by %(used)s, and cannot be deactivated.")
            raise KindFault("in_use", sentence % {"name": kind.name, "used": ", ".join(used)})
        PersonIdentifier.objects.filter(pk=row.pk).update(active=False, deactivated_at=timezone.now())
    kind.refresh_from_db()


def used_by(kind: PersonIdentifier) -> list[str]:
    """What keeps it from being deactivated."""
    return [words for uses in _uses for words in uses(kind)]


def lock(account: Account, names: Collection[str]) -> QuerySet[PersonIdentifier]:
    """The rows, kept as they are until the caller's transaction ends."""
    rows = PersonIdentifier.objects.select_for_update(no_key=True)
    return rows.filter(account=account, name__in=names).order_by("pk")


def with_counts() -> QuerySet[PersonIdentifier]:
    """All kinds, ``profiles``: how many people have a name of each."""
    names = ProfileIdentifier.objects.filter(account=OuterRef("account"), kind=OuterRef("name"), active=True)
    counted = names.order_by().values("kind").annotate(n=Count("profile", distinct=True)).values("n")
    return PersonIdentifier.objects.annotate(profiles=Coalesce(Subquery(counted), 0))

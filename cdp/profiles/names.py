"""The names of a batch of people as the tables know them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db.models import Value

from cdp.profiles import identifiers, rows
from cdp.profiles.models import Account, ProfileIdentifier
from tracking import identity

Key = tuple[str, str]  # kind and digest
# Under these a person is tracked, so the pseudonyms of their values are theirs too.
FOLLOWED = frozenset({identifiers.USER, identifiers.COOKIE})


class Named(NamedTuple):
    """A name in its one spelling (:func:`~cdp.profiles.identifiers.normal`).

    Of the kind ``tracked:<customer>`` the text is the pseudonym.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Person:
    """``own``: what somebody said, without what is nobody's name; ``derived``: a name and its pseudonym.

    ``ignored``: what is of a deactivated kind, by which no one is found, joined or named.
    """

    own: list[Key]
    derived: list[tuple[Key, Key]]
    ignored: list[Key] = field(default_factory=list)

    def all_keys(self) -> Iterable[Key]:
        yield from self.own
        yield from (key for _of, key in self.derived)


@dataclass
class Reader:
    """Reads people into keys; ``texts`` keeps what has to be sealed of the new ones."""

    account: Account
    texts: dict[Key, str] = field(default_factory=dict)
    _keys: dict[Named, Key] = field(default_factory=dict)
    _derived: dict[Key, list[tuple[Key, Key]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        feeds = self.account.feeds.annotate(what=Value("feed")).values_list("what", "customer_id")
        gone = self.account.person_identifiers.filter(active=False).annotate(what=Value("kind"))
        found = list(feeds.union(gone.values_list("what", "name"), all=True))
        self.customers = [name for what, name in found if what == "feed"]
        self.deactivated = frozenset(name for what, name in found if what == "kind")

    def read(self, names: Sequence[Named]) -> Person:
        more = settings.CDP_IDENTIFIER_BLOCKLIST
        usable = [one for one in names if not identifiers.is_nobody(one.text, more=more)]
        keys = list(dict.fromkeys(self.key(one) for one in usable))
        own = [key for key in keys if key[0] not in self.deactivated]
        derived = [pair for key in own if key[0] in FOLLOWED for pair in self.derived(key)]
        return Person(own, derived, [key for key in keys if key[0] in self.deactivated])

    def key(self, named: Named) -> Key:
        found = self._keys.get(named)
        if found is None:
            found = self._keys[named] = key_of(self.account, named)
            if not is_tracked(named.kind):
                self.texts[found] = named.text
        return found

    def derived(self, key: Key) -> list[tuple[Key, Key]]:
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = [
                (key, pseudonym(customer_id, self.texts[key])) for customer_id in self.customers
            ]
        return found

    def sealed(self, key: Key) -> str:
        return identifiers.seal(self.texts[key]) if key in self.texts else ""


def is_tracked(kind: str) -> bool:
    return kind.startswith(identifiers.TRACKED)


def key_of(account: Account, named: Named) -> Key:
    if is_tracked(named.kind):
        return named.kind, named.text
    return named.kind, identifiers.digest(account.number, named.kind, named.text)


def pseudonym(customer_id: str, text: str) -> Key:
    """Under which tracking stores whom a customer calls so, in the form of today."""
    return identifiers.tracked(customer_id), identity.pseudonym(customer_id, text)


KNOWN = """
    SELECT i.id, i.profile_id, i.kind, i.digest, i.sealed, i.active FROM given
    JOIN profiles_profileidentifier i
    ON i.account_id = %s AND i.kind = given.kind AND i.digest = given.digest
"""
SUPPRESSED = """
    SELECT s.kind, s.digest FROM given
    JOIN profiles_suppression s ON s.account_id = %s AND s.kind = given.kind AND s.digest = given.digest
"""


class Known(NamedTuple):
    """A row of the table of names; a model for each of thousands would cost more than the query."""

    id: int
    profile_id: int
    kind: str
    digest: str
    sealed: str
    active: bool

    def identity(self, account: Account) -> ProfileIdentifier:
        return ProfileIdentifier.from_db(account._state.db, FIELDS, (self.id, account.pk, *self[1:]))


FIELDS = ("id", "account_id", *Known._fields[1:])  # in the order of the columns


def lookup(account: Account, wanted: Collection[Key]) -> dict[Key, Known]:
    """Those of the names that the account knows; one query."""
    if not wanted:
        return {}
    found = rows.fetch(rows.given(kind="text", digest="text") + KNOWN, rows.listed(wanted), account.pk)
    names = (
        Known(pk, profile, kind, digest, sealed, bool(active))
        for pk, profile, kind, digest, sealed, active in found
    )
    return {(name.kind, name.digest): name for name in names}


def suppressed(account: Account, wanted: Collection[Key]) -> set[Key]:
    """Those of the names that were erased and not reinstated; one query."""
    found = rows.fetch(rows.given(kind="text", digest="text") + SUPPRESSED, rows.listed(wanted), account.pk)
    return {(kind, digest) for kind, digest in found}

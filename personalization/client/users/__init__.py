"""Attributes of users, as a project tells them to its engine. Reference `client-protocol.md` 7.

A project says what it knows in a function, registered in an ``AppConfig.ready``::

    @user_attributes(source="crm")
    def loyalty(site: SiteAccess) -> Iterable[User]:
        for card in Card.objects.iterator():
            yield User(str(card.user_id), (Attribute("tier", card.tier), Attribute("points", card.points)))

The id is that of the account, as tracking sends it (``str(user.pk)``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from config.site_access import SiteAccess

DEFAULT_SOURCE = "users"  # where the sites file names none (W-31)


class AttributeType(StrEnum):
    NUMERIC = "NUMERIC"
    NOMINAL = "NOMINAL"
    TEXT = "TEXT"
    DATE = "DATE"
    DATETIME = "DATETIME"


class WrongAttribute(ValueError):
    """An attribute or a user that no engine takes; the message says why."""


@dataclass(frozen=True)
class Attribute:
    """``type`` is one of :class:`AttributeType`; by default that of the value, NOMINAL for texts.

    Raises :class:`WrongAttribute` for another type.
    """

    key: str
    value: str | float | Decimal | date | bool
    type: str = ""

    def __post_init__(self) -> None:
        if self.type and self.type not in tuple(AttributeType):
            raise WrongAttribute(
                f"Wrong Attribute type. {self.key} has {self.type[:40]!r}; known are "
                f"{', '.join(AttributeType)}."
            )

    @property
    def kind(self) -> str:
        if self.type:
            return self.type
        if isinstance(self.value, int | float | Decimal) and not isinstance(self.value, bool):
            return AttributeType.NUMERIC
        if isinstance(self.value, datetime):
            return AttributeType.DATETIME
        return AttributeType.DATE if isinstance(self.value, date) else AttributeType.NOMINAL

    @property
    def text(self) -> str:
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return self.value.isoformat() if isinstance(self.value, date) else str(self.value)


@dataclass(frozen=True)
class User:
    id: str
    attributes: tuple[Attribute, ...] = ()


Provider = Callable[[SiteAccess], Iterable[User]]


@dataclass(frozen=True, kw_only=True)
class Registered:
    provider: Provider
    source: str  # "" is the site's default
    priority: int


_providers: list[Registered] = []


def user_attributes(*, source: str = "", priority: int = 0) -> Callable[[Provider], Provider]:
    """Register the decorated function. Of two that tell the same attribute the higher priority counts."""

    def register(provider: Provider) -> Provider:
        _providers.append(Registered(provider=provider, source=source, priority=priority))
        _providers.sort(key=lambda one: -one.priority)
        return provider

    return register


def forget(provider: Provider) -> None:
    """Undo a registration."""
    _providers[:] = [one for one in _providers if one.provider is not provider]


def sources_of(site: SiteAccess) -> list[str]:
    """The names under which this project tells attributes of users, each once."""
    return list(dict.fromkeys(source_of(one, site) for one in _providers))


def source_of(one: Registered, site: SiteAccess) -> str:
    return one.source or site.user_source or DEFAULT_SOURCE


def users_of(site: SiteAccess, *, source: str) -> Iterator[User]:
    """Every user of a source once, with all attributes: an engine replaces what it knew of one.

    A single provider is read as it goes; several are held in memory to be joined.
    """
    providers = [one.provider for one in _providers if source_of(one, site) == source]
    if len(providers) == 1:
        yield from providers[0](site)
        return
    joined: dict[str, dict[str, Attribute]] = {}
    for provider in providers:
        for user in provider(site):
            known = joined.setdefault(user.id, {})
            for attribute in user.attributes:
                known.setdefault(attribute.key, attribute)
    for user_id, attributes in joined.items():
        yield User(user_id, tuple(attributes.values()))

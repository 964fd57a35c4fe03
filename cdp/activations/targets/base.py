"""What a target is, and the registry of all.

A target knows one kind of receiver::

    @register
    class Pigeon(Target):
        kind, label, Config = "pigeon", _("Carrier pigeon"), PigeonConfig

        def deliver(self, shipment: Shipment) -> Receipt: ...
        def probe(self, activation: Activation) -> Verdict: ...

``tests/cdp/activations/test_targets.py`` holds every one to the same behaviour.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from pydantic import BaseModel, ConfigDict

from cdp.activations.models import AUDIENCE_PREFIX, Activation, Op
from cdp.audiences.models import Audience

About = dict[str, Any]


class Config(BaseModel):
    """The settings of one activation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Later(Exception):
    """No answer, or one that may be another in a while. ``seconds``: how long the receiver asks to wait;
    ``status``: of its answer, None where there was none."""

    def __init__(self, reason: str, *, seconds: float | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.status = status


class Broken(Exception):
    """The receiver will not take it, however often it is sent; a person has to look at it."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Action(NamedTuple):
    op: Op
    audience: str  # public id
    person: str  # in clear


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """One request. The same ``request_id`` is the same content, sent once more."""

    activation: Activation
    request_id: str
    sequence: int  # rises with each request of the activation
    sent_at: datetime  # when it was made; a repetition has the same
    audiences: list[About]
    actions: list[Action]


class Receipt(NamedTuple):
    """What the receiver answered. ``skipped``: people whom it does not know; ``words``: what it says that it
    did; it never names anybody."""

    skipped: int = 0
    status: int | None = None
    words: str = ""


class Verdict(NamedTuple):
    """What a test of the connection found, in words."""

    ok: bool
    words: str


class Target:
    """A kind of receiver. ``person_identifiers``: those it understands, None for all; ``tells``: it keeps
    what is said of audiences, so that a change of it is news; ``delivers``: anything is sent at all;
    ``has_files``: it keeps people here."""

    kind: ClassVar[str]
    label: ClassVar[Promise]
    Config: ClassVar[type[Config]]
    person_identifiers: ClassVar[tuple[str, ...] | None] = None
    has_secret: ClassVar[bool] = True
    tells: ClassVar[bool] = True
    delivers: ClassVar[bool] = True
    has_files: ClassVar[bool] = False

    def deliver(self, shipment: Shipment) -> Receipt:
        """Hand one request over; returning means taken for good. Raises :class:`Later`, :class:`Broken`."""
        raise NotImplementedError

    def finish(self, activation: Activation) -> None:
        """All requests of a delivery were taken. Raises :class:`Later`."""

    def forget(self, activation: Activation) -> None:
        """The activation is deleted: drop what is kept here for it."""

    def tidy(self, activation: Activation) -> None:
        """Drop what was kept here long enough; nothing is delivered meanwhile. Raises :class:`Later`."""

    def erase(self, activation: Activation, digests: Collection[str]) -> None:
        """Forget people who were erased, of what is kept here. Raises :class:`Later`."""

    def probe(self, activation: Activation) -> Verdict:
        """Try the connection without sending anybody. Raises nothing."""
        raise NotImplementedError

    def new_secret(self) -> str:
        """A secret made here; "" where only the receiver can make it."""
        return ""

    def check_secret(self, secret: str) -> None:
        """Raises ValueError with a rule without a subject."""
        if not secret:
            raise ValueError("is missing")

    def place(self, config: dict[str, Any]) -> tuple[Any, ...]:
        """What tells one receiver from another: with another place the ledger is not true any more."""
        return ()

    def address(self, config: dict[str, Any]) -> str:
        """Where requests go, "" for a target that calls nobody."""
        return ""

    def shows_secret(self, config: dict[str, Any]) -> str:
        """Scheme, host and port that are sent the secret itself, "" where it never leaves."""
        return ""


T = TypeVar("T", bound=type[Target])
_targets: dict[str, Target] = {}


def register(target: T) -> T:
    _targets[target.kind] = target()
    return target


def find(kind: str) -> Target | None:
    return _targets.get(kind)


def of(activation: Activation) -> Target:
    """Raises :class:`Broken` for a kind whose code is gone."""
    found = find(activation.kind)
    if found is None:
        raise Broken(f"No code sends to activations of the kind {activation.kind!r}.")
    return found


def all_targets() -> list[Target]:
    return [_targets[kind] for kind in sorted(_targets)]


def with_files(rows: QuerySet[Activation]) -> QuerySet[Activation]:
    """Those of kinds that keep people here."""
    return rows.filter(kind__in=[target.kind for target in all_targets() if target.has_files])


def about(audience: Audience) -> About:
    """What receivers are told of an audience (reference `cdp.md` 4.4, 4.7)."""
    counted = audience.calculated_at
    return {
        "id": f"{AUDIENCE_PREFIX}{audience.pk}",
        "identifier": audience.identifier,
        "name": audience.name,
        "description": audience.description,
        "tags": list(audience.tags),
        "profile_count": audience.profile_count,
        "updated_at": counted.isoformat().replace("+00:00", "Z") if counted else None,
    }


def utc(moment: datetime) -> str:
    """``2026-05-01T05:00:07Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def nobody(activation: Activation) -> Shipment:
    """A request without actions, which tries the connection."""
    return Shipment(
        activation=activation,
        request_id=str(uuid4()),
        sequence=activation.sequence,
        sent_at=timezone.now(),
        audiences=[],
        actions=[],
    )

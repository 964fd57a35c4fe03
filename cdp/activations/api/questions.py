"""What the membership API is asked, each with one query that indexes answer (reference `cdp.md` 4.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from cdp.activations.models import AUDIENCE_PREFIX, Activation, ActivationAudience
from cdp.audiences.models import Audience, AudienceMembership, MembershipChange
from cdp.profiles import accounts, identifiers
from cdp.profiles.identifiers import BadIdentifier
from cdp.profiles.models import Consent, PersonIdentifier, ProfileIdentifier
from config.sealing import Unsealable
from tracking.identity import pseudonyms

MOST = 1_000  # of a page


class Named(NamedTuple):
    """Where a person may be found under one value: kind of name and its stored forms."""

    kind: str
    digests: tuple[str, ...]


def audiences_of(activation: Activation) -> QuerySet[Audience]:
    """Those that callers of the activation may see."""
    visible = ActivationAudience.objects.filter(activation=activation, removed_at=None)
    return Audience.objects.filter(pk__in=visible.values("audience"), archived_at=None)


def kinds(activation: Activation) -> list[str]:
    rows = PersonIdentifier.objects.filter(account=activation.account_id, active=True)
    return list(rows.order_by("name").values_list("name", flat=True))


def names_of(activation: Activation, kind: str, value: str) -> list[Named]:
    """A visitor's cookie is also known by the pseudonyms under which events are stored. The list is empty for
    what can be nobody's name."""
    try:
        text = identifiers.normal(kind, value)
    except BadIdentifier:
        return []
    number = activation.account.number
    found = [Named(kind, (identifiers.digest(number, kind, text),))]
    if kind == identifiers.COOKIE:
        found += [
            Named(identifiers.tracked(customer), pseudonyms(customer, text))
            for customer in accounts.customers_of(activation.account)
        ]
    return found


def memberships(activation: Activation, kind: str, value: str) -> list[dict[str, str]]:
    """The visible audiences of the person, ``id`` and ``name``; of the first one where several are found."""
    names = names_of(activation, kind, value)
    if not names:
        return []
    called = Q()
    for one in names:
        called |= Q(kind=one.kind, digest__in=one.digests)
    people = ProfileIdentifier.objects.filter(called, account=activation.account_id, active=True)
    rows = (
        consented(people, activation)
        .filter(
            profile__memberships__audience__attachments__activation=activation,
            profile__memberships__audience__attachments__removed_at=None,
            profile__memberships__audience__archived_at=None,
        )
        .values_list(
            "kind", "profile", "profile__memberships__audience", "profile__memberships__audience__name"
        )
    )
    order = {one.kind: place for place, one in enumerate(names)}
    found = sorted(rows, key=lambda row: (order[row[0]], row[1], row[2]))
    of_first = {row[2]: row[3] for row in found if row[1] == found[0][1]}
    return [{"id": f"{AUDIENCE_PREFIX}{key}", "name": name} for key, name in of_first.items()]


def described(audience: Audience) -> dict[str, Any]:
    counted = audience.calculated_at
    return {
        "id": f"{AUDIENCE_PREFIX}{audience.pk}",
        "identifier": audience.identifier,
        "name": audience.name,
        "description": audience.description,
        "tags": audience.tags,
        "profileCount": audience.profile_count,
        "sequence": audience.sequence,
        "updatedAt": counted.isoformat().replace("+00:00", "Z") if counted else None,
    }


def profiles(activation: Activation, audience: Audience, *, after: int, limit: int) -> dict[str, Any]:
    """Members with their names of the activation's kind; ``next`` is the ``after`` of the page behind."""
    members = consented(AudienceMembership.objects.filter(audience=audience, profile__gt=after), activation)
    rows = members.order_by("profile").values_list("profile", "profile__uuid", "sequence")
    page = list(rows[:limit])
    values = values_of((key for key, _, _ in page), kind=activation.person_identifier)
    return {
        "id": f"{AUDIENCE_PREFIX}{audience.pk}",
        "name": audience.name,
        "sequence": audience.sequence,
        "profiles": [
            {"id": str(uuid), "identifiers": values.get(key, []), "sequence": sequence}
            for key, uuid, sequence in page
        ],
        "next": str(page[-1][0]) if len(page) == limit else None,
    }


def values_of(profiles: Iterator[int], *, kind: str) -> dict[int, list[str]]:
    """Profile -> its names of a kind, in clear."""
    found: dict[int, list[str]] = {}
    rows = ProfileIdentifier.objects.filter(profile__in=list(profiles), kind=kind, active=True)
    for key, sealed in rows.exclude(sealed="").order_by("pk").values_list("profile", "sealed"):
        try:
            found.setdefault(key, []).append(identifiers.unseal(sealed))
        except Unsealable:
            continue
    return found


class Cursor(NamedTuple):
    """Up to where changes of an audience were read: a calculation, and within it a row."""

    sequence: int
    row: int


class Changes(NamedTuple):
    changes: list[dict[str, Any]]
    cursors: dict[int, Cursor]  # to go on from
    has_more: bool


def consented(rows: QuerySet[Any], activation: Activation) -> QuerySet[Any]:
    """Rows of people whose newest word on the activation's purpose is a grant that holds."""
    if not activation.purpose:
        return rows
    said = Consent.objects.filter(profile=OuterRef("profile"), purpose=activation.purpose)
    newest = said.order_by("-given_at", "-pk")
    holds = Q(until=None) | Q(until__gt=timezone.now())
    told: QuerySet[Any] = rows.alias(
        word=Subquery(newest.values("status")[:1]), until=Subquery(newest.values("expires_at")[:1])
    )
    return told.filter(holds, word=Consent.Status.GRANTED)


def changes(activation: Activation, kind: str, *, since: dict[int, Cursor], limit: int) -> Changes:
    """Who joined and left the visible audiences.

    Audience by audience, since only within one do calculations follow each other: ids of rows are given out
    before they are committed, so a cursor over all of them would leave changes out.
    """
    found: list[dict[str, Any]] = []
    cursors, room = dict(since), limit
    for audience in audiences_of(activation).order_by("pk"):
        at = cursors.get(audience.pk, Cursor(0, 0))
        newer = Q(sequence__gt=at.sequence) | Q(sequence=at.sequence, pk__gt=at.row)
        rows = MembershipChange.objects.filter(newer, audience=audience, sequence__gte=at.sequence)
        page = list(rows.order_by("sequence", "pk")[:room])
        room -= len(page)
        told = tellable(page, activation)
        values = values_of((one.profile_id for one in told), kind=kind)
        found += [change(one, value) for one in told for value in values.get(one.profile_id, [])]
        if page:
            cursors[audience.pk] = Cursor(page[-1].sequence, page[-1].pk)
        if not room:
            break
    return Changes(found, cursors, has_more=not room)


def tellable(page: list[MembershipChange], activation: Activation) -> list[MembershipChange]:
    """Only people who consent have joined; all others have left, or callers would keep who revoked."""
    joined = MembershipChange.objects.filter(pk__in=[one.pk for one in page if one.joined])
    granted = set(consented(joined, activation).values_list("pk", flat=True))
    return [one for one in page if not one.joined or one.pk in granted]


def change(row: MembershipChange, value: str) -> dict[str, Any]:
    return {
        "audienceId": f"{AUDIENCE_PREFIX}{row.audience_id}",
        "identifierValue": value,
        "action": "joined" if row.joined else "left",
        "sequence": row.sequence,
        "at": row.at.isoformat().replace("+00:00", "Z"),
    }

"""Two profiles become one, and can be parted again (reference `cdp.md` 2.6).

What hangs on identifiers goes with them. What hangs on the profile itself, in tables here and above, moves
too unless the winner has the same already; which rows moved is kept in the record of the merge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Max, Model, UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext

from cdp.profiles import accounts, attributes, consent, rows
from cdp.profiles.models import Account, Interaction, Profile, ProfileIdentifier, ProfileMerge

# These follow the identifiers: what moved is known without a list.
FOLLOWING = {ProfileIdentifier, Interaction}
MOVE = """
    UPDATE {table} SET {column} = given.winner FROM given WHERE {table}.{key} = given.loser
"""


class CannotPart(Exception):
    """The two cannot be parted; the message says why."""


def merge(account: Account, losers: Mapping[int, int], *, reason: str) -> None:
    """Join profiles, ``losers``: key -> key of the winner. The caller holds the account's lock."""
    people = {one.pk: one for one in Profile.objects.filter(pk__in={*losers, *losers.values()})}
    names = names_of(losers)
    said = consent.newest_of(people)
    moved = move_rows(losers)
    added = consent.restrict(losers, said)
    for table in ("profiles_profileidentifier", "profiles_interaction"):
        move(table, losers)
    ProfileMerge.objects.bulk_create(
        ProfileMerge(
            account=account,
            winner=people[winner].uuid,
            loser=people[loser].uuid,
            identifiers=names[loser],
            kept={
                "created_at": people[loser].created_at.isoformat(),
                "rows": moved[loser],
                "added": added[loser],
            },
            reason=reason[:80],
        )
        for loser, winner in losers.items()
    )
    known = {losers[pk] for pk in losers if people[pk].is_listed}
    Profile.objects.filter(pk__in=known, is_listed=False).update(is_listed=True)
    Profile.objects.filter(pk__in=list(losers)).delete()
    attributes.refresh(set(losers.values()))
    see(latest(people, losers))


def names_of(profiles: Mapping[int, Any]) -> dict[int, list[int]]:
    names: dict[int, list[int]] = defaultdict(list)
    found = ProfileIdentifier.objects.filter(profile__in=list(profiles)).order_by("pk")
    for profile, pk in found.values_list("profile_id", "pk"):
        names[profile].append(pk)
    return names


def move(
    table: str, pairs: Mapping[int, int], *, key: str = "profile_id", column: str = "profile_id"
) -> None:
    """Set ``column`` of the rows whose ``key`` is one of the pairs' first to its second."""
    sql = rows.given(loser="int", winner="int") + MOVE.format(table=table, column=column, key=key)
    rows.write(sql, rows.listed(pairs.items()))


def hanging() -> Iterator[tuple[type[Model], str]]:
    """Tables with rows of profiles, and the name of the column; those of the parts above too."""
    for relation in Profile._meta.related_objects:
        model = relation.related_model
        if isinstance(relation.field, ForeignKey) and model not in FOLLOWING:
            yield model, relation.field.attname


def move_rows(losers: Mapping[int, int]) -> dict[int, dict[str, list[int]]]:
    """Loser -> table -> keys of the rows that are the winner's now."""
    moved: dict[int, dict[str, list[int]]] = defaultdict(dict)
    for model, column in hanging():
        to: dict[int, int] = {}
        for pk, loser in movable(model, column, losers):
            to[pk] = losers[loser]
            moved[loser].setdefault(model._meta.label_lower, []).append(pk)
        if to:
            move(model._meta.db_table, to, key=str(model._meta.pk.column), column=column)
    return moved


def movable(model: type[Model], column: str, losers: Mapping[int, int]) -> list[tuple[int, int]]:
    """Rows of the losers and whose they are; without what a winner may have once and has already."""
    others = once_with(model, column)
    manager = model._default_manager
    mine = list(
        manager.filter(**{f"{column}__in": list(losers)}).order_by("pk").values_list("pk", column, *others)
    )
    if not others or not mine:
        return [(row[0], row[1]) for row in mine]
    theirs = manager.filter(**{f"{column}__in": list(losers.values())})
    taken = {(row[0], *row[1:]) for row in theirs.values_list(column, *others)}
    found = []
    for pk, loser, *rest in mine:
        place = (losers[loser], *rest)
        if place not in taken:
            taken.add(place)
            found.append((pk, loser))
    return found


def once_with(model: type[Model], column: str) -> list[str]:
    """The other columns of the constraint by which a profile has such a row once; none if it has many."""
    names = {one.name: one.attname for one in model._meta.concrete_fields}
    field = next(name for name, attname in names.items() if attname == column)
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and field in constraint.fields:
            return [attname for name, attname in names.items() if name in constraint.fields and name != field]
    return []


def latest(people: Mapping[int, Profile], losers: Mapping[int, int]) -> dict[int, datetime]:
    """Winner -> when it, or one of its losers, was last seen."""
    seen: dict[int, datetime] = {}
    for pk, person in people.items():
        winner = losers.get(pk, pk)
        if person.last_seen is not None:
            seen[winner] = max(person.last_seen, seen.get(winner, person.last_seen))
    return seen


SEE = """
    UPDATE profiles_profile SET last_seen = given.at FROM given WHERE profiles_profile.id = given.id
"""


def see(seen: Mapping[int, datetime]) -> None:
    listed = rows.listed((pk, rows.moment(at)) for pk, at in seen.items())
    rows.write(rows.given(id="int", at="time") + SEE, listed)


def see_again(profiles: set[int]) -> None:
    """When each was last seen, from what it did."""
    did = Interaction.objects.filter(profile__in=profiles).order_by()
    newest = dict(did.values_list("profile").annotate(Max("ts")))
    Profile.objects.filter(pk__in=profiles - newest.keys()).update(last_seen=None)
    see({pk: datetime.fromtimestamp(ts / 1_000_000, UTC) for pk, ts in newest.items()})


def unmerge(record: ProfileMerge) -> Profile:
    """Give the loser back under its old address, with what hangs on its names and what else moved.

    Raises :class:`CannotPart`. Names that a source says of one person later join the two again.
    """
    with accounts.locked(record.account):
        record.refresh_from_db()
        if record.undone_at is not None:
            words = gettext("The merge of %(loser)s was undone on %(date)s.")
            raise CannotPart(words % {"loser": record.loser, "date": f"{record.undone_at:%Y-%m-%d}"})
        names = ProfileIdentifier.objects.filter(pk__in=record.identifiers, account=record.account)
        holders = set(names.values_list("profile_id", flat=True))
        if not holders:
            words = gettext("None of the names of %(loser)s is known any more.")
            raise CannotPart(words % {"loser": record.loser})
        ProfileMerge.objects.filter(pk=record.pk).update(undone_at=timezone.now())
        return part(record, names_held=list(names.values_list("pk", flat=True)), holders=holders)


def part(record: ProfileMerge, *, names_held: Sequence[int], holders: set[int]) -> Profile:
    loser = Profile.objects.create(account=record.account, uuid=record.loser)
    if created_at := record.kept.get("created_at"):
        Profile.objects.filter(pk=loser.pk).update(created_at=datetime.fromisoformat(created_at))
    to = dict.fromkeys(names_held, loser.pk)
    move("profiles_profileidentifier", to, key="id")
    move("profiles_interaction", to, key="identity_id")
    consent.lift(record.kept.get("added", []))
    give_back(record.kept.get("rows", {}), loser)
    attributes.refresh({loser.pk, *holders})
    see_again({loser.pk, *holders})
    loser.refresh_from_db()
    return loser


def give_back(moved: Mapping[str, Sequence[int]], loser: Profile) -> None:
    for label, keys in moved.items():
        model = apps.get_model(label)
        column = next(column for known, column in hanging() if known is model)
        model._default_manager.filter(pk__in=keys).update(**{column: loser.pk})

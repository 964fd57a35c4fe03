"""Who is meant: names lead to one profile each, deterministically (reference `cdp.md` 2.6).

People are those whose names are connected. Whoever turns out to be one becomes the oldest of their profiles;
see :mod:`cdp.profiles.merging`. All work is done for a whole batch at once, in a handful of statements.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID, uuid4

from django.utils import timezone

from cdp.profiles import accounts, identifiers, insights, merging, pseudonyms, rows
from cdp.profiles.groups import MOST_OF_A_KIND, Group, Groups, Node, is_settled
from cdp.profiles.models import Account, Profile, ProfileIdentifier, ProfileMerge
from cdp.profiles.names import Key, Known, Named, Person, Reader, key_of, lookup, suppressed

__all__ = ["Named", "find", "find_by_uuid", "identify"]

TOO_MANY = "too_many_identifiers"  # the insight
SHARED = frozenset({identifiers.COOKIE})  # kinds that name a device, which several people may use


def identify(
    account: Account, people: Sequence[Sequence[Named]], *, reason: str, listed: bool = True
) -> list[ProfileIdentifier | None]:
    """Per person the identity of their first name; profiles are made, names attached and people merged.

    ``people``: the names of each, the one that counts first. ``reason``: the source, for the record of
    merges. None stands for who was erased (see :func:`admitted`) and for who has no name but those that are
    nobody's. No profile gets more than 50 names of a kind: what would is refused and becomes an insight.
    ``listed`` False: who is new is in no audience before somebody else names them, or the set that does is
    put into force.
    """
    reader = Reader(account)
    read = [reader.read(names) for names in people]
    wanted = list(dict.fromkeys(key for person in read for key in person.all_keys()))
    with accounts.locked(account):
        pseudonyms.renew(account)
        known = lookup(account, wanted)
        gone = suppressed(account, [*wanted, *{key for person in read for key in person.ignored}])
        gone |= {key for key, name in known.items() if not name.active}
        admissible = [admitted(person, gone) for person in read]
        unsettled = [one for one in admissible if one and not is_settled(one.all_keys(), known)]
        if unsettled:
            known = unify(reader, unsettled, known, reason=reason, listed=listed)
        if listed:
            show(known[person.own[0]].profile_id for person in admissible if person)
    return [known[person.own[0]].identity(account) if person else None for person in admissible]


def admitted(person: Person, gone: set[Key]) -> Person | None:
    """The person without names that may not be used any more, None if that is who was erased.

    A suppressed name of a person bars the whole row. That of a device only names nobody any more: others
    may use it.
    """
    left = [key for key in person.own if key not in gone]
    said = [*person.own, *person.ignored]
    if not left or any(key in gone and key[0] not in SHARED for key in said):
        return None
    kept = set(left)
    return Person(left, [(of, key) for of, key in person.derived if of in kept and key not in gone])


def unify(
    reader: Reader,
    people: Sequence[Person],
    known: Mapping[Key, Known],
    *,
    reason: str,
    listed: bool,
) -> dict[Key, Known]:
    """Bring the tables to what the people say; the names that are known then, by key."""
    account = reader.account
    touched = {known[key].profile_id for person in people for key in person.all_keys() if key in known}
    groups = Groups(known, counts_of(touched))
    for person in people:
        groups.add(person)
    found = groups.found()
    complain(account, groups.refused, known)
    winners = winners_of(account, found, listed=listed)
    losers = {pk: winners[root] for root, group in found.items() for pk in group.profiles - {winners[root]}}
    if losers:
        merging.merge(account, losers, reason=reason)
    attach(reader, {key: winners[root] for root, group in found.items() for key in group.names})
    return lookup(account, {*known, *(key for group in found.values() for key in group.names)})


COUNTS = """
    SELECT i.profile_id, i.kind, count(*) FROM given
    JOIN profiles_profileidentifier i ON i.profile_id = given.id GROUP BY i.profile_id, i.kind
"""


def counts_of(profiles: Collection[int]) -> dict[int, Counter[str]]:
    """How many names of each kind the profiles have."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    if not profiles:
        return counts
    for profile, kind, count in rows.fetch(
        rows.given(id="int") + COUNTS, rows.listed((one,) for one in profiles)
    ):
        counts[profile][kind] = count
    return counts


def winners_of(account: Account, found: Mapping[Node, Group], *, listed: bool) -> dict[Node, int]:
    """The profile that each group becomes: its oldest, or a new one."""
    several = {pk for group in found.values() if len(group.profiles) > 1 for pk in group.profiles}
    age = dict(Profile.objects.filter(pk__in=several).values_list("pk", "created_at"))
    winners: dict[Node, int] = {
        root: min(group.profiles, key=lambda pk: (age.get(pk), pk))
        for root, group in found.items()
        if group.profiles
    }
    empty = [root for root in found if root not in winners]
    return winners | dict(zip(empty, create_profiles(account, len(empty), listed=listed), strict=True))


CREATE_PROFILES = """
    INSERT INTO profiles_profile (account_id, uuid, attributes, created_at, is_listed)
    SELECT %s, uuid, '{}', at, %s FROM given RETURNING id
"""
SHOW = """
    UPDATE profiles_profile SET is_listed = true FROM given
    WHERE profiles_profile.id = given.id AND NOT profiles_profile.is_listed
"""


def show(profiles: Iterable[int]) -> None:
    """From now on these are people whom audiences may have."""
    rows.write(rows.given(id="int") + SHOW, rows.listed((pk,) for pk in set(profiles)))


def create_profiles(account: Account, number: int, *, listed: bool) -> list[int]:
    """The keys of so many new profiles, ascending."""
    if not number:
        return []
    at = rows.moment(timezone.now())
    given = rows.listed((uuid4().hex, at) for _ in range(number))
    return sorted(
        pk
        for (pk,) in rows.fetch(
            rows.given(uuid="uuid", at="time") + CREATE_PROFILES, given, account.pk, listed
        )
    )


CREATE_NAMES = """
    INSERT INTO profiles_profileidentifier (account_id, profile_id, kind, digest, sealed, active, first_seen)
    SELECT %s, profile, kind, digest, sealed, true, at FROM given
"""


def attach(reader: Reader, names: Mapping[Key, int]) -> None:
    """Give new names to the profiles."""
    if not names:
        return
    at = rows.moment(timezone.now())
    listed = rows.listed((pk, *key, reader.sealed(key), at) for key, pk in names.items())
    columns = rows.given(profile="int", kind="text", digest="text", sealed="text", at="time")
    rows.write(columns + CREATE_NAMES, listed, reader.account.pk)


def complain(account: Account, refused: Iterable[tuple[Key, Key]], known: Mapping[Key, Known]) -> None:
    """Say of which profiles it is that have too many names; a name itself is never said."""
    ids = {known[key].profile_id for pair in refused for key in pair if key in known}
    for profile in Profile.objects.filter(pk__in=ids):
        insights.report(
            account,
            code=TOO_MANY,
            subject=str(profile.uuid),
            message=f"Profile {profile.uuid} would get more than {MOST_OF_A_KIND} identifiers of one kind, so"
            " a merge was refused. If a value is shared by many people, add it to CDP_IDENTIFIER_BLOCKLIST.",
        )


def find(account: Account, kind: str, text: str) -> Profile | None:
    """Who is called so; ``text`` in its one spelling."""
    kind, digest = key_of(account, Named(kind, text))
    rows_of = ProfileIdentifier.objects.filter(account=account, kind=kind, digest=digest)
    identity = rows_of.select_related("profile").first()
    return identity.profile if identity else None


def find_by_uuid(account: Account, uuid: UUID) -> Profile | None:
    """The profile of an address that was once given out, the one it was merged into if it was."""
    seen: set[UUID] = set()
    while uuid not in seen:
        seen.add(uuid)
        profile = Profile.objects.filter(account=account, uuid=uuid).first()
        if profile is not None:
            return profile
        merge = (
            ProfileMerge.objects.filter(account=account, loser=uuid, undone_at=None).order_by("-pk").first()
        )
        if merge is not None:
            uuid = merge.winner
    return None

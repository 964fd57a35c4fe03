"""Whom a call names. Two people who share a browser stay two (decisions, "Tracking meets CDP").

An event is of the account that sent it, else of the device. That names are of one person only identify and
alias say, and a device that is one account's joins no other to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from cdp.profiles import identifiers, people
from cdp.profiles.models import Account, ProfileIdentifier
from cdp.profiles.names import Key, Named, key_of, lookup
from cdp.tracking import message
from cdp.tracking.message import Call

Names = list[Named]
JOINING = frozenset({message.IDENTIFY, message.ALIAS})


def names_of(call: Call, *, but: Collection[str] = ()) -> Names:
    """The name that counts first; several of a call that joins them. ``but``: kinds out of use."""
    told = [(identifiers.USER, call.ruid), (identifiers.COOKIE, call.coid), *addresses(call)]
    names = [Named(kind, value) for kind, value in told if value and kind not in but]
    return names if call.kind in JOINING else names[:1]


def addresses(call: Call) -> list[tuple[str, str]]:
    """The e-mail address that an identify call tells."""
    try:
        address = identifiers.normal(identifiers.EMAIL, call.traits.get("email") or "")
    except identifiers.BadIdentifier:
        return []
    return [(identifiers.EMAIL, address)] if "@" in address else []


def joined(account: Account, found: Sequence[Names], *, reason: str) -> list[Names]:
    """Join the names of each, in order; return them without the devices that are somebody else's."""
    kept: list[Names] = []
    for run in runs(found):
        apart = without_others_devices(account, run)
        people.identify(account, [names for names in apart if len(names) > 1], reason=reason)
        kept += apart
    return kept


def runs(found: Sequence[Names]) -> list[list[Names]]:
    """Cut where a name is joined again: whose it is by then has to be looked up."""
    cut: list[list[Names]] = [[]]
    seen: set[Named] = set()
    for names in found:
        if len(names) > 1:
            if not seen.isdisjoint(names):
                cut.append([])
                seen.clear()
            seen.update(names)
        cut[-1].append(names)
    return cut


def without_others_devices(account: Account, run: Sequence[Names]) -> list[Names]:
    users = users_of(account, {key_of(account, one) for names in run if len(names) > 1 for one in names})
    return [kept_names(account, names, users) if len(names) > 1 else names for names in run]


def kept_names(account: Account, names: Names, users: dict[Key, set[str]]) -> Names:
    own = [one for one in names if one.kind != identifiers.COOKIE]
    theirs = {user for one in own for user in users[key_of(account, one)]}
    devices = [one for one in names if one.kind == identifiers.COOKIE]
    of_device = {user for one in devices for user in users[key_of(account, one)]}
    return own if theirs and of_device and theirs.isdisjoint(of_device) else names


def users_of(account: Account, keys: set[Key]) -> dict[Key, set[str]]:
    """Name -> digests of the accounts of whoever is called so; an account is its own."""
    known = lookup(account, keys)
    by_profile: dict[int, set[str]] = defaultdict(set)
    profiles = {one.profile_id for one in known.values()}
    rows = ProfileIdentifier.objects.filter(profile__in=profiles, kind=identifiers.USER)
    for profile, digest in rows.values_list("profile_id", "digest"):
        by_profile[profile].add(digest)
    return {
        key: (by_profile[known[key].profile_id] if key in known else set())
        | ({key[1]} if key[0] == identifiers.USER else set())
        for key in keys
    }

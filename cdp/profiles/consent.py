"""What people said to purposes (reference `cdp.md` 6.3): the newest word counts until it ends.

Merged, who refused on one of two profiles has refused on both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, cast

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cdp.profiles import accounts, identifiers
from cdp.profiles.models import Account, Consent, Profile, ProfileIdentifier, Suppression
from config.sealing import Unsealable
from tracking import identity

PURPOSES = ("statistics", "personalisation", "marketing")
LASTS = timedelta(days=730)
Status = Consent.Status
State = Literal["granted", "denied", "revoked", "expired", "absent"]
MERGED = "merge"
Newest = dict[int, dict[str, Consent]]  # profile -> purpose -> what counts


class UnknownPurpose(ValueError):
    """There is no such purpose; the message says which there are."""


def record(
    profile: Profile,
    purpose: str,
    status: Consent.Status,
    *,
    given_at: datetime | None = None,
    expires_at: datetime | None = None,
    source: str = "",
    text_version: str = "",
) -> Consent:
    """Note what a person said. A grant ends after 24 months unless ``expires_at`` says otherwise.

    A grant also has the person's cookies name them again. Raises :class:`UnknownPurpose`.
    """
    if purpose not in PURPOSES:
        raise UnknownPurpose(f"purpose must be one of {', '.join(PURPOSES)}; got {purpose[:40]!r}.")
    given_at = given_at or timezone.now()
    if status == Status.GRANTED and expires_at is None:
        expires_at = given_at + LASTS
    with transaction.atomic():
        if status == Status.GRANTED:
            mark_cookies(profile, active=True)
        return Consent.objects.create(
            profile=profile,
            purpose=purpose,
            status=status,
            given_at=given_at,
            expires_at=expires_at,
            source=source[:80],
            text_version=text_version[:64],
        )


def state(profile: Profile, purpose: str, *, at: datetime | None = None) -> State:
    """What holds at a moment, now unless given; "absent" where nothing was said."""
    at = at or timezone.now()
    said = Consent.objects.filter(profile=profile, purpose=purpose, given_at__lte=at)
    newest = said.order_by("-given_at", "-pk").first()
    if newest is None:
        return "absent"
    if newest.expires_at is not None and newest.expires_at <= at:
        return "expired"
    return cast(State, newest.status)


def withdraw(profile: Profile, *, purposes: Iterable[str] = PURPOSES, source: str = "") -> None:
    """Revoke, and let the person's cookies name nobody any more: what comes under them is not stored."""
    with transaction.atomic():
        for purpose in purposes:
            record(profile, purpose, Status.REVOKED, source=source)
        mark_cookies(profile, active=False)


def mark_cookies(profile: Profile, *, active: bool) -> None:
    """Cookies, and the pseudonyms under which they are tracked."""
    cookies = ProfileIdentifier.objects.filter(profile=profile, kind=identifiers.COOKIE)
    for cookie in list(cookies.exclude(active=active).select_related("account")):
        mark_cookie(cookie, active=active)


def mark_cookie(cookie: ProfileIdentifier, *, active: bool) -> None:
    try:
        mark_device(cookie.account, identifiers.unseal(cookie.sealed), active=active)
    except Unsealable:  # made with a key that is gone: the cookie itself is marked
        ProfileIdentifier.objects.filter(pk=cookie.pk).update(active=active)


def mark_device(account: Account, coid: str, *, active: bool) -> set[int]:
    """Have a device name nobody, or its person again, by its cookie and by what it is tracked under.

    A name that was never heard of is remembered by its digest, so that whichever of the ways events come by
    brings it first stores nothing. Who was erased stays so. Return the profiles (keys) for which it is new.
    """
    forms = forms_of(account, coid)
    named = Q()
    for forms_of_kind in forms:
        named |= Q(kind=forms_of_kind[0][0], digest__in=[digest for _kind, digest in forms_of_kind])
    barred = Suppression.objects.filter(named, account=account)
    names = ProfileIdentifier.objects.filter(named, account=account)
    with transaction.atomic():
        if active:
            barred.filter(ticket=None).delete()
            if barred.exists():
                return set()
        changed = dict(names.exclude(active=active).values_list("pk", "profile_id"))
        ProfileIdentifier.objects.filter(pk__in=changed).update(active=active)
        if not active:
            known = set(names.values_list("kind", flat=True))
            for kind, digest in (one[0] for one in forms if one[0][0] not in known):
                Suppression.objects.get_or_create(account=account, kind=kind, digest=digest)
    return set(changed.values())


def forms_of(account: Account, coid: str) -> list[list[tuple[str, str]]]:
    """Of the cookie, and of the pseudonym of each customer: kind and digest, in the form of today first."""
    cookie = (identifiers.COOKIE, identifiers.digest(account.number, identifiers.COOKIE, coid))
    tracked = [
        [(identifiers.tracked(customer_id), form) for form in identity.pseudonyms(customer_id, coid)]
        for customer_id in accounts.customers_of(account)
    ]
    return [[cookie], *tracked]


def newest_of(profiles: Iterable[int]) -> Newest:
    newest: Newest = defaultdict(dict)
    for row in Consent.objects.filter(profile__in=list(profiles)).order_by("given_at", "pk"):
        newest[row.profile_id][row.purpose] = row
    return newest


def restrict(losers: Mapping[int, int], newest: Newest) -> dict[int, list[int]]:
    """Loser -> keys of the refusals that were added, where the other one's newer word would have counted.

    ``newest``: as it was before the rows of the losers moved to the winners.
    """
    added: dict[int, list[int]] = defaultdict(list)
    for loser, winner in losers.items():
        for purpose, theirs in newest[loser].items():
            known = newest[winner].get(purpose)
            newest[winner][purpose] = counting = counts_of_both(known, theirs)
            last = max((one for one in (known, theirs) if one), key=lambda one: (one.given_at, one.pk))
            if last.status == Consent.Status.GRANTED != counting.status:
                added[loser].append(repeat(counting, winner).pk)
    return added


def counts_of_both(known: Consent | None, other: Consent) -> Consent:
    """The refusal of the two; the newer one where both refused, or neither did."""
    both = [one for one in (known, other) if one]
    return max(both, key=lambda one: (one.status != Consent.Status.GRANTED, one.given_at, one.pk))


def repeat(refusal: Consent, winner: int) -> Consent:
    return Consent.objects.create(
        profile_id=winner,
        purpose=refusal.purpose,
        status=refusal.status,
        given_at=timezone.now(),
        expires_at=None,
        source=MERGED,
        text_version=refusal.text_version,
    )


def lift(added: Sequence[int]) -> None:
    """Take the added refusals back once the two are parted."""
    Consent.objects.filter(pk__in=added, source=MERGED).delete()

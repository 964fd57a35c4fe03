"""Accounts, people, audiences and activations, made by rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from cdp.activations import changes
from cdp.activations.models import Activation, LedgerEntry
from cdp.audiences.models import Audience, AudienceMembership, MembershipChange
from cdp.audiences.signals import calculated
from cdp.profiles import accounts, identifiers
from cdp.profiles.models import Account, Profile, ProfileIdentifier

NUMBER = 123456
CLIENT_SECRET = "s" * 40


def account(number: int = NUMBER) -> Account:
    return accounts.create(number, name="Shop")


def person(of: Account, **names: Any) -> Profile:
    """``userid=14`` or several: ``userid=[14, 15]``."""
    profile = Profile.objects.create(account=of)
    for kind, values in names.items():
        for value in values if isinstance(values, list) else [values]:
            name_of(profile, kind, value)
    return profile


def name_of(profile: Profile, kind: str, value: Any) -> ProfileIdentifier:
    text = identifiers.normal(kind, value)
    return ProfileIdentifier.objects.create(
        account=profile.account,
        profile=profile,
        kind=kind,
        digest=identifiers.digest(profile.account.number, kind, text),
        sealed=identifiers.seal(text),
    )


def audience(of: Account, name: str = "cat_owners", *members: Profile, **more: Any) -> Audience:
    made = Audience.objects.create(
        account=of, name=name.replace("_", " ").capitalize(), identifier=name, definition={}, **more
    )
    if members:
        calculate(made, members, tell=False)
    return made


def calculate(of: Audience, members: Iterable[Profile], *, tell: bool = True) -> None:
    """As a calculation leaves it: members, changes, counts, and then the news."""
    wanted = {one.pk for one in members}
    known = set(of.memberships.values_list("profile", flat=True))
    now, sequence = timezone.now(), of.sequence + 1
    of.memberships.filter(profile__in=known - wanted).delete()
    AudienceMembership.objects.bulk_create(
        AudienceMembership(audience=of, profile_id=one, joined_at=now, sequence=sequence)
        for one in sorted(wanted - known)
    )
    MembershipChange.objects.bulk_create(
        MembershipChange(audience=of, profile_id=one, joined=one in wanted, sequence=sequence, at=now)
        for one in sorted(wanted ^ known)
        if Profile.objects.filter(pk=one).exists()
    )
    of.sequence, of.profile_count, of.calculated_at = sequence, len(wanted), now
    of.save()
    if tell:
        calculated.send(Audience, audience=of.pk, sequence=sequence)


def site(*audiences: Audience, url: str = "http://localhost:8000/cdp/webhook", **more: Any) -> Activation:
    """An activation towards a site; by default our own."""
    config = {"base_url": url, "client_id": "mine", "segment_group_identifier": "audiences"}
    given = {"name": "Site", "person_identifier": "userid", "secret": CLIENT_SECRET, "config": config} | more
    return changes.create(audiences[0].account, kind="ibexa", audiences=audiences, **given)[0]


def ledger(of: Activation) -> set[tuple[str, str]]:
    """Audience and person of every entry."""
    rows = LedgerEntry.objects.filter(activation=of).values_list("audience__identifier", "sealed")
    return {(identifier, identifiers.unseal(sealed)) for identifier, sealed in rows}

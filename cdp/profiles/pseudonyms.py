"""Names of the kind ``tracked:<customer>``: the pseudonyms under which tracking stores people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from cdp.profiles import accounts, attributes, identifiers
from cdp.profiles.models import Account, Interaction, ProfileIdentifier, Suppression
from tracking import identity
from tracking.people.spans import BEGINNING, Span
from tracking.queries import END_OF_TIME
from tracking.rotation import keys

BATCH = 2_000


def renew(account: Account) -> None:
    """Bring the account's pseudonyms into the form of today while keys are rotated, so that it is found."""
    if keys.settled.look():
        return
    for customer_id in account.feeds.values_list("customer_id", flat=True):
        for _number in rekey_account(account, customer_id):
            pass


def outdated_names(customer_id: str) -> QuerySet[ProfileIdentifier]:
    low, high = identity.outdated()
    return ProfileIdentifier.objects.filter(
        kind=identifiers.tracked(customer_id), digest__gte=low, digest__lt=high
    )


def outdated_suppressions(customer_id: str) -> QuerySet[Suppression]:
    low, high = identity.outdated()
    return Suppression.objects.filter(kind=identifiers.tracked(customer_id), digest__gte=low, digest__lt=high)


def rekey(customer_id: str) -> Iterator[int]:
    """Bring all pseudonyms of a customer into the form of today; yield the sizes of the batches."""
    for account in Account.objects.order_by("pk"):
        yield from rekey_account(account, customer_id)


def rekey_account(account: Account, customer_id: str) -> Iterator[int]:
    while True:
        with accounts.locked(account):
            names = list(outdated_names(customer_id).filter(account=account).order_by("pk")[:BATCH])
            rekey_names(account, customer_id, names)
            erased = list(outdated_suppressions(customer_id).filter(account=account).order_by("pk")[:BATCH])
            rekey_suppressions(account, customer_id, erased)
        if not names and not erased:
            return
        yield len(names) + len(erased)


def rekey_names(account: Account, customer_id: str, names: Sequence[ProfileIdentifier]) -> None:
    kind = identifiers.tracked(customer_id)
    to = {one.pk: identity.newest(customer_id, one.digest) for one in names}
    there = ProfileIdentifier.objects.filter(account=account, kind=kind, digest__in=list(to.values()))
    met = {one.digest: one for one in there}
    for name in names:
        name.digest = to[name.pk]
        if name.digest in met:
            become(account, name, met[name.digest])
    free = [name for name in names if name.digest not in met]
    ProfileIdentifier.objects.bulk_update(free, ["digest"], batch_size=500)


def become(account: Account, old: ProfileIdentifier, new: ProfileIdentifier) -> None:
    """Somebody was met under the form of today before: the two are one, and so are their profiles."""
    from cdp.profiles import merging

    old.refresh_from_db(fields=["profile"])
    new.refresh_from_db(fields=["profile"])
    if old.profile_id != new.profile_id:
        loser, winner = sorted((old.profile, new.profile), key=lambda one: (one.created_at, one.pk))[::-1]
        merging.merge(account, {loser.pk: winner.pk}, reason="rotation")
    Interaction.objects.filter(identity=old).update(identity=new)
    ProfileIdentifier.objects.filter(pk=old.pk).delete()


def rekey_suppressions(account: Account, customer_id: str, erased: Sequence[Suppression]) -> None:
    for row in erased:
        Suppression.objects.get_or_create(
            account=account,
            kind=row.kind,
            digest=identity.newest(customer_id, row.digest),
            defaults={"ticket_id": row.ticket_id},
        )
    Suppression.objects.filter(pk__in=[row.pk for row in erased]).delete()


class Pseudonyms:
    """A place of :mod:`tracking.people`: pseudonyms in profiles, with what was done under them."""

    name = "profiles"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        for span in spans:
            for name in names_of(span):
                if is_whole(span):
                    yield {"account": name.account_id, "profile": str(name.profile.uuid), "kind": name.kind}
                yield from did_within(name, span).order_by("ts", "pk").values(*SHOWN).iterator(BATCH)

    def outdated(self, customer_id: str) -> int:
        return outdated_names(customer_id).count() + outdated_suppressions(customer_id).count()

    def rekey(self, customer_id: str) -> Iterator[int]:
        yield from rekey(customer_id)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        return sum(erase(name, span, at=at) for span in spans for name in names_of(span))


SHOWN = ("event", "ts", "source", "item_type", "product_id", "order_id", "quantity", "price", "subtotal")


def names_of(span: Span) -> list[ProfileIdentifier]:
    """The pseudonym in each account that its customer feeds."""
    names = ProfileIdentifier.objects.filter(kind=identifiers.tracked(span.customer_id), digest=span.user)
    return list(names.select_related("account", "profile").order_by("pk"))


def is_whole(span: Span) -> bool:
    return span.after == BEGINNING and span.until == END_OF_TIME


def did_within(name: ProfileIdentifier, span: Span) -> QuerySet[Interaction]:
    return Interaction.objects.filter(identity=name, ts__gt=span.after, ts__lte=span.until)


def erase(name: ProfileIdentifier, span: Span, *, at: int) -> int:
    """What was done in the span until ``at`` goes, and the pseudonym with it unless it is in use again."""
    with accounts.locked(name.account):
        gone = did_within(name, span).filter(ts__lte=at).delete()[0]
        later = Interaction.objects.filter(identity=name).exists()
        if is_whole(span) and not later and name.first_seen.timestamp() * 1_000_000 <= at:
            gone += (
                ProfileIdentifier.objects.filter(pk=name.pk).delete()[1].get("profiles.ProfileIdentifier", 0)
            )
        if not named(name.profile_id):
            attributes.drop_empty([name.profile_id])
    return gone


def named(profile: int) -> bool:
    """Whether the profile has a name that is no pseudonym."""
    names = ProfileIdentifier.objects.filter(profile=profile)
    return names.exclude(kind__startswith=identifiers.TRACKED).exists()

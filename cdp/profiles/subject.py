"""Rights of the people themselves (reference `cdp.md` 6.4): to be forgotten, made nobody, or corrected.

Erasing has two steps. What is asked for is written down at once, with the names suppressed, so that no
delivery brings the person back; a job then removes place after place, the profile last, and tells the parts
above. It is safe to run again after a crash at any point.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext

from cdp.profiles import accounts, contributions, identifiers, kinds, merging, places, telling
from cdp.profiles.contributions import Outcome, Said
from cdp.profiles.models import (
    Account,
    ErasureTicket,
    Interaction,
    Profile,
    ProfileIdentifier,
    ProfileMerge,
    Suppression,
)
from cdp.profiles.names import FOLLOWED, Named, is_tracked, key_of, pseudonym
from cdp.profiles.people import find, identify
from cdp.profiles.places import Whom
from config.jobs import queue
from config.jobs.models import Job
from config.sealing import Unsealable
from tracking.people import erase as tracked
from tracking.people import whom as tracked_whom

logger = logging.getLogger("cdp")

JOB = "cdp_erase"
NOBODY = "anonymous"  # the kind of the only name of somebody who was made nobody


class UnknownPerson(Exception):
    """No profile has this name; the message does not repeat it."""


def whom(account: Account, names: Sequence[Named]) -> Whom:
    """Who is called so, with all names of the profile."""
    profile = next((found for one in names if (found := find(account, *one))), None)
    return described(account, names, profile)


def of_profile(profile: Profile) -> Whom:
    """The same of a profile that is at hand, whether or not its names can be read."""
    return described(profile.account, (), profile)


def described(account: Account, names: Sequence[Named], profile: Profile | None) -> Whom:
    own = ProfileIdentifier.objects.filter(profile=profile).order_by("pk") if profile else ()
    clear = list(dict.fromkeys([*names, *(one for name in own for one in in_clear(name))]))
    keys = [(name.kind, name.digest) for name in own]
    keys += [key_of(account, one) for one in clear]
    customers = list(account.feeds.values_list("customer_id", flat=True))
    followed = [one for one in clear if one.kind in FOLLOWED]
    keys += [pseudonym(customer_id, one.text) for customer_id in customers for one in followed]
    return Whom(account=account, names=tuple(clear), keys=tuple(dict.fromkeys(keys)), profile=profile)


def in_clear(name: ProfileIdentifier) -> list[Named]:
    """What the name is; nothing for pseudonyms and for what was sealed with a key that is gone."""
    try:
        return [Named(name.kind, identifiers.unseal(name.sealed))] if name.sealed else []
    except Unsealable:
        return []


class Asked(NamedTuple):
    ticket: ErasureTicket
    job: Job


def ask(account: Account, names: Sequence[Named]) -> Asked:
    """Write down that a person is to be erased, whether a profile is known or not, and have it done.

    The names travel in the job sealed, and leave it when it has ended.
    """
    with accounts.locked(account):
        return take_down(whom(account, names))


def ask_of(profile: Profile) -> Asked:
    """The same of a profile that is at hand. Raises :class:`UnknownPerson` if it is gone meanwhile."""
    with accounts.locked(profile.account):
        if not Profile.objects.filter(pk=profile.pk).exists():
            raise UnknownPerson(gettext("This profile is gone already."))
        return take_down(of_profile(profile))


def take_down(person: Whom) -> Asked:
    ticket = suppress(person)
    return Asked(ticket, enqueue(ticket, person.names))


def enqueue(ticket: ErasureTicket, names: Sequence[Named]) -> Job:
    sealed = identifiers.seal(orjson.dumps([list(one) for one in names]).decode())
    return queue.enqueue(JOB, {"ticket": ticket.pk, queue.SECRET: sealed}, key=str(ticket.ticket))


def suppress(person: Whom) -> ErasureTicket:
    """The ticket, and nothing brings back who is called by one of the names."""
    own = [key for key in person.keys if not is_tracked(key[0])]
    ticket = ErasureTicket.objects.create(account=person.account, identifiers=own)
    Suppression.objects.bulk_create(
        (
            Suppression(account=person.account, kind=kind, digest=digest, ticket=ticket)
            for kind, digest in person.keys
        ),
        update_conflicts=True,
        unique_fields=["account", "kind", "digest"],
        update_fields=["ticket"],
    )
    return ticket


@queue.job(JOB, short=True)
def run(run: queue.Run) -> dict[str, Any]:
    ticket = ErasureTicket.objects.select_related("account").get(pk=run.payload["ticket"])
    names = orjson.loads(identifiers.unseal(run.payload[queue.SECRET]))
    return dict(erase(ticket, [Named(*one) for one in names]).counts)


def erase(ticket: ErasureTicket, names: Sequence[Named]) -> ErasureTicket:
    """Remove the person everywhere. Raises :class:`~tracking.lake_rewrite.LakeBusy` and
    :class:`~config.faults.Fault`; calling again goes on."""
    if ticket.finished_at is not None:
        return ticket
    if ticket.erased_at is not None:
        telling.finish(ticket)
        return ticket
    person = whom(ticket.account, names)
    for place in places.places():
        note(ticket, place.name, place.erase(person))
    for name, count in erase_tracked(person).items():
        note(ticket, name, count)
    with accounts.locked(ticket.account):
        for name, count in remove(person).items():
            note(ticket, name, count)
    telling.begin(ticket)
    logger.info("account %s: erasure %s is finished", ticket.account.number, ticket.ticket)
    return ticket


def note(ticket: ErasureTicket, place: str, count: int) -> None:
    ticket.counts[place] = ticket.counts.get(place, 0) + count
    ticket.save(update_fields=["counts"])


def erase_tracked(person: Whom) -> dict[str, int]:
    """What is tracked under the names, and of devices until they logged in as them; by place."""
    counts: dict[str, int] = {}
    for customer_id in person.account.feeds.values_list("customer_id", flat=True):
        for name in person.names:
            if name.kind not in FOLLOWED:
                continue
            try:
                own = tracked_whom.own(customer_id, name.text)
            except tracked_whom.NoSuchPerson:  # the customer is configured no more and has no events
                continue
            spans = (*own, *tracked_whom.linked(own))
            for place, count in tracked.finish(tracked.begin(spans, linked=True)).counts.items():
                counts[f"tracked_{place}"] = counts.get(f"tracked_{place}", 0) + count
    return counts


def remove(person: Whom) -> dict[str, int]:
    """The profile with all that hangs on it; the caller holds the account's lock."""
    if person.profile is None:
        return {}
    did = Interaction.objects.filter(profile=person.profile).count()
    uuid_of = person.profile.uuid
    names = ProfileIdentifier.objects.filter(profile=person.profile).count()
    person.profile.delete()
    forget_merges(person.account, uuid_of)
    return {"profiles": 1, "identifiers": names, "interactions": did}


def forget_merges(account: Account, winner: uuid.UUID) -> None:
    """The records of merges into the profile, and into those it took in."""
    wave = [winner]
    while wave:
        records = ProfileMerge.objects.filter(account=account, winner__in=wave)
        wave = list(records.values_list("loser", flat=True))
        records.delete()


def anonymise(account: Account, names: Sequence[Named]) -> ErasureTicket:
    """Keep what the person did, of nobody: names, attributes, consents and what could lead back go.

    The profile gets another address. Raises :class:`UnknownPerson`.
    """
    person = whom(account, names)
    if person.profile is None:
        raise UnknownPerson("No profile has this identifier.")
    ticket = suppress(person)
    for place in places.places():
        note(ticket, place.name, place.erase(person))
    with accounts.locked(account):
        note(ticket, "anonymised", make_nobody(person.profile))
    telling.begin(ticket)
    return ticket


def make_nobody(profile: Profile) -> int:
    """How many interactions are kept."""
    name = ProfileIdentifier.objects.create(
        account=profile.account, profile=profile, kind=NOBODY, digest=uuid.uuid4().hex
    )
    kept = Interaction.objects.filter(profile=profile).update(
        identity=name, event_id=None, session="", order_id="", props={}
    )
    for model, column in merging.hanging():
        model._default_manager.filter(**{column: profile.pk}).delete()
    ProfileIdentifier.objects.filter(profile=profile).exclude(pk=name.pk).delete()
    forget_merges(profile.account, profile.uuid)
    Profile.objects.filter(pk=profile.pk).update(uuid=uuid.uuid4(), attributes={})
    return kept


def reinstate(account: Account, named: Named) -> int:
    """Let the person come back, by every name of the same erasure; how many names that were."""
    kind, digest = key_of(account, named)
    own = Suppression.objects.filter(account=account, kind=kind, digest=digest)
    tickets = [pk for pk in own.values_list("ticket", flat=True) if pk is not None]
    with accounts.locked(account):
        return own.delete()[0] + Suppression.objects.filter(account=account, ticket__in=tickets).delete()[0]


def known_by(account: Account, named: Named) -> ProfileIdentifier | None:
    """The name a profile has; one of a deactivated kind still says who is to be corrected."""
    if named.kind in kinds.deactivated(account):
        kind, digest = key_of(account, named)
        return ProfileIdentifier.objects.filter(
            account=account, kind=kind, digest=digest, active=True
        ).first()
    return identify(account, [[named]], reason="manual")[0]


def rectify(account: Account, named: Named, data: dict[str, Any]) -> Outcome:
    """Correct attributes by hand; None clears what was corrected before. Raises :class:`UnknownPerson`."""
    if find(account, *named) is None:
        raise UnknownPerson("No profile has this identifier.")
    identity = known_by(account, named)
    if identity is None:
        raise UnknownPerson("Who has this identifier was erased.")
    return contributions.append(contributions.source(account, "manual"), [Said(identity, data)])

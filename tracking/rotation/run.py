"""The rotation: everything that is stored is brought into the form of today while others read and write.

Both generations are read until the end, so the order matters only here: logins are copied, not moved, and
the old ones go last, with the tombstones. Rounds are made until one finds nothing, because collectors may
still have had events of the old form on their way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from config.customers.directory import directory
from tracking import identity, lake
from tracking.collector import surge
from tracking.models import Event, IdentityEdge, Tombstone
from tracking.people.erase import shrink_log
from tracking.people.places import places
from tracking.people.tables import delete, overwrite_deleted
from tracking.rotation import keys, rekey
from tracking.rotation.ranges import any_stored, customers_of

SETTLE_SECONDS = 3.0  # longer than a process takes to hear that the rotation has ended
MOST_ROUNDS = 8
OnProgress = Callable[[str, int], None]  # place, how many more are done


class BadKeys(Exception):
    """The keys that are set do not allow a rotation; the message says why."""


@dataclass(kw_only=True)
class Report:
    """What was done (or would be), by place; ``finished``: nothing of an older generation is stored."""

    generation: int
    counts: dict[str, int] = field(default_factory=dict)
    finished: bool = False


def everybody() -> list[str]:
    """All customers of whom something may be stored."""
    found = {account.customer_id for account in directory.all()} | set(lake.customers())
    for model in (Event, IdentityEdge, Tombstone):
        found |= set(customers_of(model))
    return sorted(found)


def check_keys() -> None:
    """Raises :class:`BadKeys`."""
    if wrong := keys.note():
        raise BadKeys(wrong)
    if len(settings.PSEUDONYM_KEYS) == 1:
        raise BadKeys(
            "Only one key of pseudonyms is set. Set LODESTAR_PSEUDONYM_KEYS to the key of now and the new "
            "one, with a comma between them, and restart everything that serves."
        )


def outstanding(customers: Sequence[str]) -> Report:
    """How much is of an older generation."""
    report = Report(generation=len(settings.PSEUDONYM_KEYS))
    for place in places():
        report.counts[place.name] = sum(place.outdated(one) for one in customers)
    report.counts["tombstones"] = sum(rekey.outdated_tombstones(one).count() for one in customers)
    report.finished = not any(report.counts.values())
    return report


def anything_outdated() -> bool:
    """The same in a few looks into indexes, without the lake."""
    columns = ((Event, "user"), (IdentityEdge, "source"), (IdentityEdge, "target"), (Tombstone, "user"))
    return any(any_stored(model, *identity.outdated(), column=column) for model, column in columns)


def rotate(customers: Sequence[str], *, on_progress: OnProgress = lambda *_: None) -> Report:
    """Re-key what is stored of these customers; of all, the rotation is finished with that.

    Safe to call again after a crash at any point. Raises :class:`BadKeys`,
    :class:`~tracking.lake_rewrite.LakeBusy` and :class:`~config.faults.Fault`; calling again goes on.
    """
    check_keys()
    report = Report(generation=len(settings.PSEUDONYM_KEYS))
    quiet = make_rounds(report, customers, on_progress)
    if quiet and not set(everybody()) - set(customers):
        keys.finish()
        time.sleep(SETTLE_SECONDS)
        quiet = make_rounds(report, customers, on_progress)
        for customer_id in customers:
            forget_old_forms(report, customer_id, on_progress)
        shrink_log()
        report.finished = quiet and outstanding(customers).finished
    return report


def make_rounds(report: Report, customers: Sequence[str], on_progress: OnProgress) -> bool:
    """Whether a round found nothing any more."""
    for number in range(MOST_ROUNDS):
        if number:
            time.sleep(SETTLE_SECONDS / 2)
        surge.move_leftovers()
        if not make_round(report, customers, on_progress):
            return True
    return False


def make_round(report: Report, customers: Sequence[str], on_progress: OnProgress) -> int:
    total = 0
    for place in places():
        report.counts.setdefault(place.name, 0)
        for customer_id in customers:
            for rekeyed in place.rekey(customer_id):
                report.counts[place.name] += rekeyed
                total += rekeyed
                on_progress(place.name, rekeyed)
    return total


def forget_old_forms(report: Report, customer_id: str, on_progress: OnProgress) -> None:
    """Logins, which have been copied, and tombstones, which protect until the end."""
    overwrite_deleted()
    delete(rekey.outdated_logins(customer_id))
    rekeyed = rekey.rekey_tombstones(customer_id)
    report.counts["tombstones"] = report.counts.get("tombstones", 0) + rekeyed
    on_progress("tombstones", rekeyed)

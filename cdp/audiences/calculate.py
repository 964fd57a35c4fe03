"""A calculation: who is in an audience at one moment, and who joined and left since the last one.

Reference `cdp.md` 3.4. The people are selected into a table of this connection first; what it differs in from
the members is then written in one transaction. So a calculation that fails leaves the members as they are.
"""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from cdp.audiences.compile import running
from cdp.audiences.compile.statement import Query, statement
from cdp.audiences.conditions.faults import BadDefinition
from cdp.audiences.faults import Busy, CannotCalculate
from cdp.audiences.models import Audience, AudienceRun
from cdp.audiences.rules import Rules, rule_of
from cdp.audiences.signals import calculated
from cdp.profiles import insights
from config.jobs import lease

logger = logging.getLogger("cdp")

LEASE = timedelta(minutes=60)
TRIES = 3
FAILED = "audience_failed"  # the insight
FITS = "audience_fits"


class Difference(NamedTuple):
    joined: int
    left: int


def calculate(
    audience: Audience,
    *,
    as_of: datetime | None = None,
    trigger: AudienceRun.Trigger = AudienceRun.Trigger.MANUAL,
) -> AudienceRun:
    """Bring the members to who fits at ``as_of``, by default now.

    Raises :class:`Busy` while another process calculates it, :class:`CannotCalculate` when it failed.
    """
    run = begin(audience, as_of=as_of or timezone.now(), trigger=trigger)
    try:
        with fitting(audience, run.as_of):
            difference = replace(audience, run)
        stamp(audience, run, difference)
    except Exception as fault:
        fail(audience, run, fault)
        raise CannotCalculate(f"The calculation of {audience.name} failed: {fault}") from fault
    insights.close(audience.account, code=FAILED, subject=audience.identifier)
    return run


def begin(audience: Audience, *, as_of: datetime, trigger: AudienceRun.Trigger) -> AudienceRun:
    """Take the audience for an hour. What a process that died or hung has left is taken over."""
    now = timezone.now()
    owner = f"{lease.worker_name()}-{now.timestamp():.6f}"
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = Audience.objects.filter(free, pk=audience.pk, archived_at=None)
        if not rows.update(lease_owner=owner, lease_until=now + LEASE):
            raise Busy(f"{audience.name} is being calculated already, or is archived.")
        audience.refresh_from_db()
        note_dead(audience, now)
        return AudienceRun.objects.create(
            audience=audience, sequence=audience.sequence + 1, trigger=trigger, as_of=as_of
        )


def note_dead(audience: Audience, now: datetime) -> None:
    """A run that died or hung has failed; its members are those of before."""
    error = f"It did not end within {LEASE // timedelta(minutes=1)} minutes and was taken over."
    dead = AudienceRun.objects.filter(audience=audience, state=AudienceRun.State.RUNNING)
    if dead.update(state=AudienceRun.State.FAILED, finished_at=now, error=error):
        complain(audience, error)


def give_up_dead() -> int:
    """Free audiences whose calculation died or hung, and say so; return how many."""
    now, count = timezone.now(), 0
    dead = Audience.objects.filter(lease_until__lt=now).exclude(lease_owner="")
    for audience in dead.select_related("account"):
        with transaction.atomic():
            mine = dead.filter(pk=audience.pk, lease_owner=audience.lease_owner)
            if mine.update(lease_owner="", lease_until=None):
                note_dead(audience, now)
                count += 1
    return count


@contextmanager
def fitting(audience: Audience, as_of: datetime) -> Iterator[None]:
    """The table :data:`FITS` of the profiles that fit, which goes with the block."""
    sql, parameters = members_of(audience, as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {FITS} (profile_id BIGINT PRIMARY KEY)")
    try:
        with running.cursor() as cursor:
            cursor.execute(f"INSERT INTO {FITS} {sql}", parameters)
            cursor.execute(f"ANALYZE {FITS}")
        yield
    finally:
        drop()


def drop() -> None:
    if connection.in_atomic_block and connection.needs_rollback:
        return  # the table goes with the transaction around it
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {FITS}")


def members_of(audience: Audience, as_of: datetime) -> Query:
    asked = statement(
        rule_of(audience),
        account=audience.account,
        as_of=as_of,
        others=Rules(audience.account),
        name=audience.identifier,
    )
    return asked.members()


def replace(audience: Audience, run: AudienceRun) -> Difference:
    """The members become who fits. A profile that is merged or erased meanwhile may cost another try."""
    for _ in range(TRIES - 1):
        try:
            return replaced(audience, run)
        except IntegrityError:
            continue
    return replaced(audience, run)


LEAVERS = f"""
    FROM audiences_audiencemembership m WHERE m.audience_id = %(audience)s
    AND NOT EXISTS (SELECT 1 FROM {FITS} f WHERE f.profile_id = m.profile_id)
"""
NOTE_LEAVERS = f"""
    INSERT INTO audiences_membershipchange (audience_id, profile_id, joined, sequence, at)
    SELECT m.audience_id, m.profile_id, FALSE, %(sequence)s, %(at)s {LEAVERS}
"""
REMOVE = f"DELETE FROM audiences_audiencemembership WHERE id IN (SELECT m.id {LEAVERS})"
ADD = f"""
    INSERT INTO audiences_audiencemembership (audience_id, profile_id, joined_at, sequence)
    SELECT %(audience)s, p.id, %(at)s, %(sequence)s
    FROM {FITS} f JOIN profiles_profile p ON p.id = f.profile_id
    WHERE NOT EXISTS (SELECT 1 FROM audiences_audiencemembership m
                      WHERE m.audience_id = %(audience)s AND m.profile_id = p.id)
    ON CONFLICT DO NOTHING
"""
NOTE_JOINERS = """
    INSERT INTO audiences_membershipchange (audience_id, profile_id, joined, sequence, at)
    SELECT m.audience_id, m.profile_id, TRUE, m.sequence, m.joined_at FROM audiences_audiencemembership m
    WHERE m.audience_id = %(audience)s AND m.sequence = %(sequence)s
"""


def replaced(audience: Audience, run: AudienceRun) -> Difference:
    parameters: dict[str, Any] = {
        "audience": audience.pk,
        "sequence": run.sequence,
        "at": connection.ops.adapt_datetimefield_value(run.as_of),
    }
    with transaction.atomic(), running.cursor() as cursor:
        cursor.execute(NOTE_LEAVERS, parameters)
        cursor.execute(REMOVE, parameters)
        left = cursor.rowcount
        cursor.execute(ADD, parameters)
        cursor.execute(NOTE_JOINERS, parameters)
        joined = cursor.rowcount
        # Last, so that nobody waits for the row longer than this takes; another's by now if it took too long.
        mine = Audience.objects.filter(pk=audience.pk, lease_owner=audience.lease_owner)
        if not mine.update(sequence=run.sequence):
            raise CannotCalculate("It took longer than its lease, and another process has taken over.")
    return Difference(joined, left)


def stamp(audience: Audience, run: AudienceRun, difference: Difference) -> None:
    """Say how many there are and since when, now that the members are committed; then tell others."""
    count = audience.memberships.count()
    with transaction.atomic():
        Audience.objects.filter(pk=audience.pk).update(
            profile_count=count, calculated_at=run.as_of, lease_owner="", lease_until=None
        )
        # A rule that was saved while this one was asked is as stale as before.
        Audience.objects.filter(pk=audience.pk, version=audience.version, purpose=audience.purpose).update(
            is_stale=False
        )
        run.state, run.finished_at, run.count = AudienceRun.State.DONE, timezone.now(), count
        run.joined, run.left = difference
        run.save()
        transaction.on_commit(
            lambda: calculated.send_robust(Audience, audience=audience.pk, sequence=run.sequence)
        )
    audience.refresh_from_db()


def fail(audience: Audience, run: AudienceRun, fault: Exception) -> None:
    """Note what went wrong; the next turn tries again."""
    if connection.in_atomic_block and connection.needs_rollback:
        return
    text = sentence(fault)
    AudienceRun.objects.filter(pk=run.pk, state=AudienceRun.State.RUNNING).update(
        state=AudienceRun.State.FAILED, finished_at=timezone.now(), error=text[:500]
    )
    Audience.objects.filter(pk=audience.pk, lease_owner=audience.lease_owner).update(
        lease_owner="", lease_until=None
    )
    complain(audience, text)


def complain(audience: Audience, text: str) -> None:
    insights.report(
        audience.account,
        code=FAILED,
        subject=audience.identifier,
        message=f"{audience.name} could not be calculated; its members are those of before. {text}",
    )


def sentence(fault: Exception) -> str:
    text = " ".join(str(fault).split())
    return text if isinstance(fault, BadDefinition | CannotCalculate) else f"{type(fault).__name__}: {text}"

"""Who should be at a receiver and who is: the difference, and what is written of it (reference `cdp.md` 4.3).

Everything is worked out by the database, a range of members or of the ledger at a time: memory stays the same
for a million members, and every statement is short. Each range is a statement of its own, so members may
change on the way; the next delivery finds what this one missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from cdp.activations.models import Activation, ActivationAudience, LedgerEntry, Op
from cdp.audiences.models import AudienceMembership
from cdp.profiles import identifiers
from cdp.profiles.models import Consent, ProfileIdentifier

RANGE = 2_000
TABLES = {
    "members": AudienceMembership._meta.db_table,
    "names": ProfileIdentifier._meta.db_table,
    "ledger": LedgerEntry._meta.db_table,
    "consents": Consent._meta.db_table,
    "attachments": ActivationAudience._meta.db_table,
}
# A name by which a person can be sent, as `n`.
USABLE = "n.kind = %(kind)s AND n.active AND n.sealed <> ''"
# The newest word of a person, as `m`, on the purpose.
CONSENTED = """ AND EXISTS (
    SELECT 1 FROM {consents} c
    WHERE c.profile_id = m.profile_id AND c.purpose = %(purpose)s AND c.status = 'granted'
    AND (c.expires_at IS NULL OR c.expires_at > %(now)s)
    AND NOT EXISTS (
        SELECT 1 FROM {consents} o WHERE o.profile_id = c.profile_id AND o.purpose = c.purpose
        AND (o.given_at > c.given_at OR o.given_at = c.given_at AND o.id > c.id)))"""
NEXT_MEMBER = """SELECT profile_id FROM {members} WHERE audience_id = %(audience)s AND profile_id > %(low)s
    ORDER BY profile_id LIMIT 1 OFFSET %(offset)s"""
LAST_MEMBER = "SELECT max(profile_id) FROM {members} WHERE audience_id = %(audience)s"
# The range stands twice: PostgreSQL takes it from one side of a join to the other for no more than equality,
# and would read all names for each range of members.
MISSING = """SELECT n.digest, n.sealed FROM {members} m JOIN {names} n ON n.profile_id = m.profile_id
    WHERE m.audience_id = %(audience)s AND m.profile_id > %(low)s AND m.profile_id <= %(high)s AND {usable}
    AND n.profile_id > %(low)s AND n.profile_id <= %(high)s
    AND NOT EXISTS (
        SELECT 1 FROM {ledger} l WHERE l.activation_id = %(activation)s
        AND l.audience_id = %(audience)s AND l.digest = n.digest){consented}
    ORDER BY m.profile_id, n.id"""
NEXT_ENTRY = """SELECT digest FROM {ledger}
    WHERE activation_id = %(activation)s AND audience_id = %(audience)s
    AND digest > %(low)s ORDER BY digest LIMIT 1 OFFSET %(offset)s"""
LAST_ENTRY = """SELECT max(digest) FROM {ledger}
    WHERE activation_id = %(activation)s AND audience_id = %(audience)s"""
ENTRIES = """SELECT l.digest, l.sealed FROM {ledger} l WHERE l.activation_id = %(activation)s
    AND l.audience_id = %(audience)s AND l.digest > %(low)s AND l.digest <= %(high)s{left}
    ORDER BY l.digest"""
LEFT = """ AND NOT EXISTS (
        SELECT 1 FROM {names} n
        JOIN {members} m ON m.profile_id = n.profile_id AND m.audience_id = %(audience)s
        WHERE n.account_id = %(account)s AND n.digest = l.digest AND {usable}{consented})"""
NAMELESS = """SELECT count(*) FROM {members} m WHERE m.audience_id = %(audience)s
    AND NOT EXISTS (SELECT 1 FROM {names} n WHERE n.profile_id = m.profile_id AND {usable})"""


class Named(NamedTuple):
    """A person by one name."""

    digest: str
    sealed: str

    @property
    def person(self) -> str:
        """In clear. Raises :class:`~config.sealing.Unsealable`."""
        return identifiers.unseal(self.sealed)


class Step(NamedTuple):
    """What a receiver is to be told of somebody; ``audience``: its key."""

    op: Op
    audience: int
    digest: str
    sealed: str


def steps(attachment: ActivationAudience) -> Iterator[Step]:
    """The difference of an audience of an activation: who has left first, then who is new."""
    audience = attachment.audience_id
    is_leaving = attachment.removed_at is not None
    question = Question(attachment.activation, audience)
    gone = question.entries() if is_leaving else question.left()
    yield from (Step("remove", audience, *one) for one in gone)
    if not is_leaving:
        yield from (Step("add", audience, *one) for one in question.missing())


def everybody(activation: Activation, audience: int) -> Iterator[Named]:
    """Whom the receiver has in an audience."""
    return Question(activation, audience).entries()


def unidentified(attachment: ActivationAudience) -> int:
    """Members without a name of the activation's kind."""
    rows = Question(attachment.activation, attachment.audience_id).rows(NAMELESS)
    return int(rows[0][0])


def write(activation: Activation, steps: Sequence[Step], *, sequence: int) -> None:
    """Enter what the receiver has taken, within the caller's transaction."""
    now = timezone.now()
    LedgerEntry.objects.bulk_create(
        (
            LedgerEntry(
                activation=activation,
                audience_id=one.audience,
                digest=one.digest,
                sealed=one.sealed,
                sequence=sequence,
                delivered_at=now,
            )
            for one in steps
            if one.op == "add"
        ),
        ignore_conflicts=True,
    )
    gone: dict[int, list[str]] = {}
    for one in steps:
        if one.op == "remove":
            gone.setdefault(one.audience, []).append(one.digest)
    for audience, digests in gone.items():
        LedgerEntry.objects.filter(activation=activation, audience=audience, digest__in=digests).delete()


@dataclass(frozen=True)
class Question:
    """What can be asked of one audience of an activation; ranges go by ascending keys."""

    activation: Activation
    audience: int

    def missing(self) -> Iterator[Named]:
        """Names of members that the ledger has not."""
        return self.named(MISSING, self.ranges(NEXT_MEMBER, LAST_MEMBER, start=-1))

    def left(self) -> Iterator[Named]:
        """Names in the ledger that are no member's any more."""
        return self.named(ENTRIES, self.ranges(NEXT_ENTRY, LAST_ENTRY, start=""), left=LEFT)

    def entries(self) -> Iterator[Named]:
        """All names in the ledger."""
        return self.named(ENTRIES, self.ranges(NEXT_ENTRY, LAST_ENTRY, start=""))

    def named(self, text: str, ranges: Iterator[tuple[Any, Any]], *, left: str = "") -> Iterator[Named]:
        for low, high in ranges:
            for row in self.rows(text.replace("{left}", left), low=low, high=high):
                yield Named(*row)

    def ranges(self, following: str, last: str, *, start: Any) -> Iterator[tuple[Any, Any]]:
        """``low`` (not in it) and ``high`` of one range after the other, each with at most RANGE keys."""
        low = start
        while True:
            found = self.rows(following, low=low, offset=RANGE - 1) or self.rows(last)
            high = found[0][0]
            if high is None or high == low:
                return
            yield low, high
            low = high

    def rows(self, text: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.written(text), self.values() | more)
            return list(cursor.fetchall())

    def written(self, text: str) -> str:
        """The statement with the names of tables, which are ours."""
        consented = CONSENTED if self.activation.purpose else ""
        whole = text.replace("{consented}", consented).replace("{usable}", USABLE)
        return whole.format(**TABLES)

    def values(self) -> dict[str, Any]:
        now: datetime = timezone.now()
        return {
            "activation": self.activation.pk,
            "account": self.activation.account_id,
            "audience": self.audience,
            "kind": self.activation.person_identifier,
            "purpose": self.activation.purpose,
            "now": connection.ops.adapt_datetimefield_value(now),
        }

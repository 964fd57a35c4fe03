"""How an activation stands: of each audience who is there and who is missing, counted by the database.

The same questions as those of :mod:`cdp.activations.ledger`, for all audiences of an activation at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from cdp.activations.ledger import Question
from cdp.activations.models import Activation, ActivationAudience

# Names and members for whom a page counts without being asked: about a tenth of a second.
MOST = 100_000
ATTACHED = """IN (SELECT a.audience_id FROM {attachments} a
    WHERE a.activation_id = %(activation)s AND a.removed_at IS NULL)"""
MISSING = """SELECT m.audience_id, count(*) FROM {members} m JOIN {names} n ON n.profile_id = m.profile_id
    WHERE m.audience_id {attached} AND {usable}
    AND NOT EXISTS (
        SELECT 1 FROM {ledger} l WHERE l.activation_id = %(activation)s
        AND l.audience_id = m.audience_id AND l.digest = n.digest){consented}
    GROUP BY m.audience_id"""
LEFT = """SELECT l.audience_id, count(*) FROM {ledger} l
    WHERE l.activation_id = %(activation)s AND l.audience_id {attached}
    AND NOT EXISTS (
        SELECT 1 FROM {names} n
        JOIN {members} m ON m.profile_id = n.profile_id AND m.audience_id = l.audience_id
        WHERE n.account_id = %(account)s AND n.digest = l.digest AND {usable}{consented})
    GROUP BY l.audience_id"""
NAMELESS = """SELECT m.audience_id, count(*) FROM {members} m WHERE m.audience_id {attached}
    AND NOT EXISTS (SELECT 1 FROM {names} n WHERE n.profile_id = m.profile_id AND {usable})
    GROUP BY m.audience_id"""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Of one audience: ``members`` are people, ``delivered``, ``to_add`` and ``to_remove`` names (somebody
    may have several), ``nameless`` people without one. None: not counted."""

    attachment: ActivationAudience
    members: int | None
    delivered: int
    to_add: int | None = None
    to_remove: int | None = None
    nameless: int | None = None


def standings(activation: Activation, *, whatever_it_takes: bool = False) -> list[Standing]:
    """Of all audiences by name, those on their way out included. ``whatever_it_takes``: large ones too."""
    rows = activation.attachments.select_related("audience").order_by("audience__name")
    delivered = dict(
        activation.ledger.order_by()
        .values_list("audience")
        .annotate(Count("pk"))
        .values_list("audience", "pk__count")
    )
    is_counted = whatever_it_takes or not is_large(activation, sum(delivered.values()))
    missing, left, nameless = counts(activation) if is_counted else ({}, {}, {})
    found = []
    for one in rows:
        key, is_leaving = one.audience_id, one.removed_at is not None
        there = delivered.get(key, 0)
        found.append(
            Standing(
                attachment=one,
                members=one.audience.profile_count,
                delivered=there,
                to_add=0 if is_leaving else missing.get(key, 0) if is_counted else None,
                to_remove=there if is_leaving else left.get(key, 0) if is_counted else None,
                nameless=nameless.get(key, 0) if is_counted else None,
            )
        )
    return found


def is_large(activation: Activation, delivered: int) -> bool:
    members = activation.attachments.aggregate(all=Sum("audience__profile_count"))["all"] or 0
    return bool(members + delivered > MOST)


Counts = dict[int, int]


def counts(activation: Activation) -> tuple[Counts, Counts, Counts]:
    """Audience -> how many names are to be added, how many to be removed, how many people have none."""
    question = Question(activation, 0)
    texts = (text.replace("{attached}", ATTACHED) for text in (MISSING, LEFT, NAMELESS))
    missing, left, nameless = (dict(question.rows(text)) for text in texts)
    return missing, left, nameless

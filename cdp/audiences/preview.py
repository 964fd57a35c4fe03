"""How many people a rule fits, node by node; nothing is written but what :func:`refresh` notes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from cdp.audiences.compile import running
from cdp.audiences.compile.statement import Rule, statement
from cdp.audiences.conditions.faults import Problem
from cdp.audiences.conditions.read import read, warnings
from cdp.audiences.conditions.walk import nodes
from cdp.audiences.models import Audience
from cdp.audiences.rules import Rules, known, rule_of
from cdp.profiles.models import Account

SAMPLES = 5  # people of a rule that fits more


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``per_node``: JSON pointer -> profiles for which the node is true; ``total``: all profiles."""

    count: int
    total: int
    as_of: datetime
    took_ms: int
    per_node: dict[str, int]
    sample: tuple[int, ...] = ()  # keys of some profiles that fit
    warnings: tuple[Problem, ...] = ()

    @property
    def percent(self) -> float:
        return round(self.count * 100 / self.total, 1) if self.total else 0.0


def preview(
    account: Account,
    document: Any,
    *,
    as_of: datetime | None = None,
    purpose: str = "",
    identifier: str = "",
) -> Preview:
    """The size of a rule that may never have been saved.

    ``identifier``: of the audience that it is to be the rule of. Raises
    :class:`~cdp.audiences.conditions.faults.BadDefinition`.
    """
    rules = Rules(account)
    judged = known(account, rules)
    rule = Rule(tree=read(document, judged), purpose=purpose)
    return counted(
        account, rule, rules, as_of=as_of, identifier=identifier, odd=tuple(warnings(document, judged))
    )


def refresh(audience: Audience) -> Preview:
    """Count the audience as it is saved, and note how many; its members stay who they are."""
    found = counted(
        audience.account, rule_of(audience), Rules(audience.account), identifier=audience.identifier
    )
    audience.local_count, audience.local_calculated_at = found.count, found.as_of
    audience.save(update_fields=["local_count", "local_calculated_at"])
    return found


def counted(
    account: Account,
    rule: Rule,
    rules: Rules,
    *,
    as_of: datetime | None = None,
    identifier: str = "",
    odd: tuple[Problem, ...] = (),
) -> Preview:
    began = time.perf_counter()
    moment = as_of or timezone.now()
    asked = statement(rule, account=account, as_of=moment, others=rules, name=identifier)
    with running.cursor() as cursor:
        cursor.execute(*asked.counts())
        total, count, *each, some = cursor.fetchone()
    pointers = [pointer for pointer, _ in nodes(rule.tree)]
    return Preview(
        count=count,
        total=total,
        as_of=moment,
        took_ms=round((time.perf_counter() - began) * 1000),
        per_node=dict(zip(pointers, each, strict=True)),
        sample=tuple(int(key) for key in (some or "").split(",")[:SAMPLES] if key),
        warnings=odd,
    )

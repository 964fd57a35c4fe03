"""Why a person is in an audience or not: every condition, true or false, with what decided it.

Reference `cdp.md` 3.4, 7.2. It is the statement of a calculation, asked for one profile; so it never says
otherwise than a calculation would.
"""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from cdp.audiences.compile import people
from cdp.audiences.compile.statement import Rule, Statement, statement
from cdp.audiences.compile.values import Asking, property_of
from cdp.audiences.conditions.document import Attribute, Calc, Did, Group, Have, Member, Node, Top
from cdp.audiences.conditions.moments import EPOCH, iso
from cdp.audiences.conditions.walk import nodes
from cdp.audiences.models import Audience
from cdp.audiences.rules import Rules, rule_of
from cdp.audiences.words import Names, phrase
from cdp.profiles.models import UNITS, Consent, Profile


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A node. ``value``: what decided it, as JSON: of did `{"count", "last"}`, of have `{"value"}`, of top
    `{"values"}`. ``children``: of a group, and of the audience that is named."""

    pointer: str
    type: str
    text: str
    holds: bool
    value: dict[str, Any] = field(default_factory=dict)
    children: tuple[Explained, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "type": self.type,
            "text": self.text,
            "is": self.holds,
            "value": self.value,
            "children": [one.document() for one in self.children],
        }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """``fits``: by the rule as of then; ``is_member``: by the last calculation. ``consent``: to its
    purpose, None if it asks for none."""

    fits: bool
    is_member: bool
    as_of: datetime
    consent: dict[str, Any] | None
    tree: Explained


def explain(audience: Audience, profile: Profile, *, as_of: datetime | None = None) -> Explanation:
    """Raises :class:`~cdp.audiences.conditions.faults.BadDefinition`."""
    moment, rules = as_of or timezone.now(), Rules(audience.account)
    rule = rule_of(audience)
    names = dict(Audience.objects.filter(account=audience.account).values_list("identifier", "name"))
    explainer = Explainer(profile, rules, names, as_of=moment)
    fits, tree = explainer.explained(rule, name=audience.identifier)
    return Explanation(
        fits=fits,
        is_member=audience.memberships.filter(profile=profile).exists(),
        as_of=moment,
        consent=consent(profile, rule.purpose, moment) if rule.purpose else None,
        tree=tree,
    )


@dataclass
class Explainer:
    profile: Profile
    rules: Rules
    names: Names
    as_of: datetime = field(kw_only=True)

    def explained(self, rule: Rule, *, name: str) -> tuple[bool, Explained]:
        """Whether the rule as a whole holds, consent included, and its tree."""
        asked = statement(
            rule,
            account=self.profile.account,
            as_of=self.as_of,
            others=self.rules,
            name=name,
            only=self.profile.pk,
        )
        pointers = [pointer for pointer, _node in nodes(rule.tree)]
        row = first_row(asked.truths()) or [0] * (len(pointers) + 1)  # suppressed: nobody
        truths = dict(zip(pointers, map(bool, row[1 : len(pointers) + 1]), strict=True))
        return bool(row[0]), self.node(rule.tree, "", truths, asked)

    def node(self, node: Node, pointer: str, truths: Mapping[str, bool], asked: Statement) -> Explained:
        children: tuple[Explained, ...] = ()
        if isinstance(node, Group):
            children = tuple(
                self.node(child, f"{pointer}/children/{place}", truths, asked)
                for place, child in enumerate(node.children)
            )
        elif isinstance(node, Member):
            children = (self.explained(self.rules[node.audience], name=node.audience)[1],)
        return Explained(
            pointer=pointer,
            type=type_of(node),
            text=phrase(node, self.names),
            holds=truths[pointer],
            value=self.value(node, asked.asking),
            children=children,
        )

    def value(self, node: Node, asking: Asking) -> dict[str, Any]:
        match node:
            case Did():
                return of_did(asking, node)
            case Have(subject=Attribute(name=name)):
                return {"value": self.profile.attributes.get(name)}
            case Have(subject=Top() as top):
                sql = f"SELECT r.value {people.ranked(asking, top)} ORDER BY r.place"
                return {"values": [row[0] for row in rows(sql, asking)]}
            case Have(subject=Calc() as calc):
                return {"value": of_calc(asking, calc)}
        return {}


def type_of(node: Node) -> str:
    match node:
        case Group():
            return "group"
        case Did(negated=negated):
            return "did_not" if negated else "did"
        case Have():
            return "have"
    return "audience"


def of_did(asking: Asking, node: Did) -> dict[str, Any]:
    sql = f"SELECT {people.amount(asking, node)}, MAX(i.ts) {people.rows(asking, node.events)}"
    count, last = rows(sql, asking)[0]
    return {"count": count, "last": None if last is None else when(last)}


def of_calc(asking: Asking, calc: Calc) -> Any:
    if calc.calc in ("first", "last") and calc.property is not None:
        return of_edge(asking, calc)
    found = people.value(asking, calc)
    if found.moment is not None:
        [(moment,)] = rows(f"SELECT {found.moment} {people.rows(asking, calc.events)}", asking)
        return None if moment is None else when(moment)
    divisor = found.times or "1"
    sql = f"SELECT {found.number}, {divisor}, COUNT(*) {people.rows(asking, calc.events)}"
    number, times, count = rows(sql, asking)[0]
    if number is None or (not count and calc.calc not in people.ZERO):
        return None
    return plain(Decimal(number) / (UNITS * times))


def of_edge(asking: Asking, calc: Calc) -> Any:
    """The first or last value that is not empty, as it is stored."""
    each = property_of(asking, str(calc.property))
    sql = f"SELECT {each.text}, {each.number}, {each.truth} {people.edge(asking, calc)}"
    for text, number, truth in rows(sql, asking):
        if text is not None:
            return text
        return plain(Decimal(number) / UNITS) if number is not None else bool(truth)
    return None


def plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(round(number, 4))


def when(micros: int) -> str:
    return iso(EPOCH + timedelta(microseconds=micros))


def first_row(query: tuple[str, dict[str, Any]]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(*query)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def rows(sql: str, asking: Asking) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asking.parameters.values)
        return list(cursor.fetchall())


def consent(profile: Profile, purpose: str, as_of: datetime) -> dict[str, Any]:
    """The newest word on the purpose at the moment, and whether it lets somebody in."""
    said = Consent.objects.filter(profile=profile, purpose=purpose, given_at__lte=as_of)
    newest = said.order_by("-given_at", "-pk").first()
    if newest is None:
        return {"purpose": purpose, "status": "absent", "is": False}
    ended = newest.expires_at is not None and newest.expires_at <= as_of
    return {
        "purpose": purpose,
        "status": "expired" if ended and newest.status == Consent.Status.GRANTED else newest.status,
        "is": newest.status == Consent.Status.GRANTED and not ended,
    }

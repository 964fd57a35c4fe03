"""The whole statement: members, numbers per node, or what is true of one profile."""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cdp.audiences.compile import people, values
from cdp.audiences.compile.dialects import Parameters, dialect
from cdp.audiences.compile.predicates import condition
from cdp.audiences.compile.values import Asking
from cdp.audiences.conditions.document import Attribute, Did, Group, Have, Member, Node
from cdp.audiences.conditions.faults import BadDefinition, Problem
from cdp.audiences.conditions.walk import in_order, nodes
from cdp.profiles.models import Account

MOST_LEAVES = 1_000  # columns of a row


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an audience asks: its tree, and whose consent to which purpose, "" for nobody's."""

    tree: Group
    purpose: str = ""


@dataclass(frozen=True)
class Consent:
    """The leaf that a purpose is."""

    purpose: str


Leaf = Did | Have | Consent
Query = tuple[str, dict[str, Any]]


@dataclass
class Statement:
    """``flags``: repr of a leaf -> its column; ``audiences``: identifier -> its column."""

    asking: Asking
    rule: Rule
    columns: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    flags: dict[str, str] = field(default_factory=dict)
    audiences: dict[str, str] = field(default_factory=dict)
    levels: list[str] = field(default_factory=list)

    def members(self) -> Query:
        """Ids of the profiles that fit."""
        where = self.whole(self.rule)
        return f"{self.rows()} SELECT f.id FROM {self.last} f WHERE {where}", self.asking.parameters.values

    def counts(self) -> Query:
        """One row: how many profiles there are, how many fit, and how many of each node in its order; then
        ids of some that fit, as one text with commas.
        """
        whole = self.whole(self.rule)
        each = [whole, *(self.expression(node) for _, node in nodes(self.rule.tree))]
        counted = ", ".join(f"COUNT(CASE WHEN {one} THEN 1 END)" for one in each)
        some = self.asking.dialect.some("f.id", whole)
        sql = f"{self.rows()} SELECT COUNT(*), {counted}, {some} FROM {self.last} f"
        return sql, self.asking.parameters.values

    def truths(self) -> Query:
        """One row for the only profile: whether it fits, and each node and audience in their order."""
        each = [
            self.whole(self.rule),
            *(self.expression(node) for _, node in nodes(self.rule.tree)),
            *(f"f.{column}" for column in self.audiences.values()),
        ]
        shown = ", ".join(f"CASE WHEN {one} THEN 1 ELSE 0 END" for one in each)
        return f"{self.rows()} SELECT {shown} FROM {self.last} f", self.asking.parameters.values

    @property
    def last(self) -> str:
        return f"level{len(self.levels)}"

    def rows(self) -> str:
        """WITH of the rows: one per profile, with a column per leaf, then one more per nested audience."""
        asking = self.asking
        only = "" if asking.only is None else f" AND p.id = {asking.parameters(asking.only)}"
        first = (
            f"SELECT {', '.join(['p.id AS id', *self.columns])} FROM profiles_profile p{''.join(self.joins)}"
            f" WHERE p.account_id = {asking.parameters(asking.account)} AND p.is_listed{only}"
            f" AND {asking.dialect.none_of(people.suppressed(asking))}"
        )
        written = [f"level0 AS {asking.dialect.once} ({first})"]
        # Materialised: two ways to one audience would else be written out twice, and so on downwards.
        written += [f"level{place} AS MATERIALIZED ({sql})" for place, sql in enumerate(self.levels, 1)]
        return f"WITH {', '.join(written)}"

    def add(self, rule: Rule) -> None:
        """The columns of what the rule asks itself."""
        for _, node in nodes(rule.tree):
            if isinstance(node, Did | Have):
                self.leaf(bare(node))
        if rule.purpose:
            self.leaf(Consent(rule.purpose))

    def nest(self, name: str, rule: Rule) -> None:
        """A column of the audience, behind those that it needs itself."""
        column = f"a{len(self.audiences)}"
        self.levels.append(f"SELECT f.*, {self.whole(rule)} AS {column} FROM {self.last} f")
        self.audiences[name] = column

    def leaf(self, leaf: Leaf) -> None:
        # Not by itself: True equals 1.
        if repr(leaf) in self.flags:
            return
        name = self.flags[repr(leaf)] = f"l{len(self.flags)}"
        if len(self.flags) > MOST_LEAVES:
            message = f"With the audiences it needs it has more than {MOST_LEAVES} different conditions."
            raise BadDefinition([Problem("too_many_nodes", "", message)])
        if isinstance(leaf, Have) and isinstance(leaf.subject, Attribute):
            value = values.attribute(self.asking, leaf.subject.name)
            self.columns.append(f"{condition(self.asking, leaf.check, value)} AS {name}")
            return
        found = self.people(leaf)
        sql, joined = self.asking.dialect.member(found.sql, name)
        self.columns.append(f"NOT ({sql}) AS {name}" if found.are_others else f"({sql}) AS {name}")
        self.joins.append(joined)

    def people(self, leaf: Leaf) -> people.People:
        match leaf:
            case Did():
                return people.did(self.asking, leaf)
            case Have():
                return people.have(self.asking, leaf)
        return people.consenting(self.asking, leaf.purpose)

    def whole(self, rule: Rule) -> str:
        tree = self.expression(rule.tree)
        return f"({tree} AND f.{self.flags[repr(Consent(rule.purpose))]})" if rule.purpose else tree

    def expression(self, node: Node) -> str:
        """Whether the node is true, of the columns of row ``f``."""
        match node:
            case Group(op=op, children=children, negated=negated):
                joined = f" {op.upper()} ".join(self.expression(one) for one in children)
                return f"NOT ({joined})" if negated else f"({joined})"
            case Member(audience=audience, is_in=is_in):
                column = f"f.{self.audiences[audience]}"
                return column if is_in else f"NOT {column}"
        negated = node.negated if isinstance(node, Did) else node.check.is_negative
        column = f"f.{self.flags[repr(bare(node))]}"
        return f"NOT {column}" if negated else column


def bare(node: Did | Have) -> Did | Have:
    """The leaf without its negation: it and its opposite are one column."""
    if isinstance(node, Did):
        return replace(node, negated=False)
    return replace(node, check=replace(node.check, op=node.check.positive))


def statement(
    rule: Rule,
    *,
    account: Account,
    as_of: datetime,
    others: Mapping[str, Rule],
    name: str = "",
    only: int | None = None,
) -> Statement:
    """The statement for a rule at a moment.

    ``others``: identifier -> rule of the account's audiences. ``name``: what the rule's own audience is.
    ``only``: the key of the one profile it is about. Raises :class:`BadDefinition` for a cycle, an unknown
    audience, and more conditions than a row has room for.
    """
    asking = Asking(
        dialect=dialect(),
        parameters=Parameters(),
        account=account.pk,
        as_of=as_of,
        zone=ZoneInfo(account.time_zone),
        only=only,
    )
    found = Statement(asking, rule)
    needed = in_order(rule.tree, lambda key: others[key].tree if key in others else None, name=name)
    for one in (*(others[key] for key in needed), rule):
        found.add(one)
    for key in needed:
        found.nest(key, others[key])
    return found

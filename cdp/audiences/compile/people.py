"""Leaves about what people did, as a statement that selects profiles (reference `cdp.md` 3.3)."""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from cdp.audiences.compile import values
from cdp.audiences.compile.predicates import condition
from cdp.audiences.compile.values import Asking, Value
from cdp.audiences.conditions.document import Calc, Check, Count, Did, Events, Have, Top
from cdp.audiences.conditions.moments import micros, span

DAY = 86_400_000_000  # in microseconds
OPS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "eq": "="}
ZERO = {"sum", "count", "distinct"}  # of no events


class People(NamedTuple):
    """A SELECT of profile ids, once each; ``are_others``: the leaf holds for all but them."""

    sql: str
    are_others: bool = False


def rows(asking: Asking, events: Events, *more: str) -> str:
    """FROM and WHERE of the events ``i``."""
    first, end = span(events.window, as_of=asking.as_of, zone=asking.zone)
    known = asking.parameters
    wanted = [f"i.account_id = {known(asking.account)}", f"i.event = {known(events.event)}"]
    if asking.only is not None:
        wanted.append(f"i.profile_id = {known(asking.only)}")
    if first is not None:
        wanted.append(f"i.ts >= {known(first)}")
    wanted.append(f"i.ts < {known(end)}")
    for one in events.where:
        holds = condition(asking, one.check, values.property_of(asking, one.property))
        wanted.append(f"NOT {holds}" if one.check.is_negative else holds)
    return f"FROM profiles_interaction i WHERE {' AND '.join([*wanted, *more])}"


def by_profile(asking: Asking) -> str:
    return f"GROUP BY {asking.dialect.sorted('i.profile_id')}"


def did(asking: Asking, node: Did) -> People:
    found = f"SELECT i.profile_id {rows(asking, node.events)} {by_profile(asking)}"
    if node.count == Count() and node.count_by is None:
        return People(found)
    return People(f"{found} HAVING {enough(asking, node)}")


def amount(asking: Asking, node: Did) -> str:
    """What is counted; empty values are not."""
    match node.count_by:
        case None:
            return "COUNT(*)"
        case "day":
            return "COUNT(DISTINCT i.day)"
    return f"COUNT(DISTINCT {asking.filled(f'i.{node.count_by}')})"


def enough(asking: Asking, node: Did) -> str:
    count, counted, known = node.count, amount(asking, node), asking.parameters
    if count.op == "between":
        wanted = f"{counted} >= {known(count.value)} AND {counted} <= {known(count.value2)}"
    else:
        wanted = f"{counted} {OPS[count.op]} {known(count.value)}"
    return f"{counted} >= 1 AND {wanted}"


def have(asking: Asking, node: Have) -> People:
    """Of a calculated attribute, with the positive operator of the check."""
    assert isinstance(node.subject, Calc | Top)  # noqa: S101 - attributes are columns of the profile
    if isinstance(node.subject, Top):
        holds = condition(asking, node.check, values.text("r.value"))
        return People(f"SELECT DISTINCT r.profile_id {ranked(asking, node.subject)} AND {holds}")
    if node.subject.calc in ("first", "last") and node.subject.property is not None:
        holds = condition(asking, node.check, values.property_of(asking, node.subject.property))
        return People(f"SELECT i.profile_id {edge(asking, node.subject)} AND {holds}")
    return calculated(asking, node.subject, node.check)


def calculated(asking: Asking, calc: Calc, check: Check) -> People:
    holds = condition(asking, check, value(asking, calc))
    found = f"SELECT i.profile_id {rows(asking, calc.events)} {by_profile(asking)} HAVING"
    if calc.calc in ZERO and holds_for_zero(check):
        return People(f"{found} NOT {holds}", are_others=True)
    return People(f"{found} {holds}")


def value(asking: Asking, calc: Calc) -> Value:
    """Of the events of one profile, which GROUP BY has put together."""
    match calc.calc:
        case "first":
            return values.moment("MIN(i.ts)")
        case "last":
            return values.moment("MAX(i.ts)")
        case "days_since_last":
            now = asking.parameters(micros(asking.as_of))
            return values.number(f"(({now} - MAX(i.ts)) / {DAY} * 10000)")
    if calc.property is None:
        return values.number("(COUNT(*) * 10000)")
    each = values.property_of(asking, calc.property)
    match calc.calc:
        case "count":
            return values.number(f"(COUNT(CASE WHEN {each.exists} THEN 1 END) * 10000)")
        case "distinct":
            return values.number(f"(COUNT(DISTINCT {as_key(each)}) * 10000)")
        case "avg":
            return values.number(f"SUM({each.numeric})", times=f"COUNT({each.numeric})")
        case "sum":
            return values.number(f"COALESCE(SUM({each.numeric}), 0)")
    return values.number(f"{calc.calc.upper()}({each.numeric})")


def as_key(each: Value) -> str:
    """A text that is another for every other value: 5 is not "5"."""
    return (
        f"CASE WHEN {each.text} IS NOT NULL THEN 't' || {each.text}"
        f" WHEN {each.number} IS NOT NULL THEN 'n' || CAST(CAST({each.number} AS BIGINT) AS TEXT)"
        f" WHEN {each.truth} THEN 'true' WHEN NOT {each.truth} THEN 'false' END"
    )


def edge(asking: Asking, calc: Calc) -> str:
    """FROM and WHERE of the first or last event of each profile that has the property."""
    down = " DESC" if calc.calc == "last" else ""
    exists = values.property_of(asking, str(calc.property)).exists
    return (
        f"FROM (SELECT i.*, ROW_NUMBER() OVER (PARTITION BY i.profile_id ORDER BY i.ts{down}, i.id{down})"
        f" AS place {rows(asking, calc.events, exists)}) i WHERE i.place = 1"
    )


def ranked(asking: Asking, top: Top) -> str:
    """FROM and WHERE of the first values ``r.value`` of each profile, with ``r.place`` and ``r.metric``."""
    dimension = asking.filled(column(asking, top))
    metric = "COUNT(*)"
    if top.property is not None:
        metric = f"COALESCE(SUM({values.property_of(asking, top.property).numeric}), 0)"
    groups = (
        f"SELECT i.profile_id, {dimension} AS value, {metric} AS metric, MAX(i.ts) AS latest"
        f" {rows(asking, top.events, f'({dimension}) IS NOT NULL')}"
        f" GROUP BY 1, 2 HAVING COUNT(*) >= {asking.parameters(top.min_events)}"
    )
    order = f"g.metric DESC, g.latest DESC, {asking.dialect.bytewise('g.value')}"
    return (
        f"FROM (SELECT g.*, ROW_NUMBER() OVER (PARTITION BY g.profile_id ORDER BY {order}) AS place"
        f" FROM ({groups}) g) r WHERE r.place <= {asking.parameters(top.rank)}"
    )


def column(asking: Asking, top: Top) -> str:
    if top.dimension != "category":
        return {"brand": "i.brand", "product": "i.product_id"}[top.dimension]
    # The path begins with a slash, so that its first part is behind that.
    return "i.category" if top.level is None else asking.dialect.part("i.category_path", top.level + 2)


def holds_for_zero(check: Check) -> bool:
    """Whether the positive operator holds for the number 0."""
    operands = check.value if isinstance(check.value, tuple) else (check.value,)
    first = operands[0] if isinstance(operands[0], Decimal) else Decimal(0)
    match check.positive:
        case "eq" | "in":
            return Decimal(0) in operands
        case "gt" | "gte":
            return first < 0 or (first == 0 and check.op == "gte")
        case "lt" | "lte":
            return first > 0 or (first == 0 and check.op == "lte")
        case "between":
            return isinstance(check.value2, Decimal) and first <= 0 <= check.value2
    return True  # it is not empty


def consenting(asking: Asking, purpose: str) -> People:
    """Whose newest word on the purpose is a consent in force."""
    known = asking.parameters
    now = known(connection.ops.adapt_datetimefield_value(asking.as_of))
    only = "" if asking.only is None else f" AND c.profile_id = {known(asking.only)}"
    newest = (
        "SELECT c.profile_id, c.status, c.expires_at,"
        " ROW_NUMBER() OVER (PARTITION BY c.profile_id ORDER BY c.given_at DESC, c.id DESC) AS place"
        " FROM profiles_consent c JOIN profiles_profile q ON q.id = c.profile_id"
        f" WHERE q.account_id = {known(asking.account)} AND c.purpose = {known(purpose)}"
        f" AND c.given_at <= {now}{only}"
    )
    return People(
        f"SELECT n.profile_id FROM ({newest}) n WHERE n.place = 1 AND n.status = 'granted'"
        f" AND (n.expires_at IS NULL OR n.expires_at > {now})"
    )


def suppressed(asking: Asking) -> str:
    """Who has a name that was erased, and is nobody's member until somebody reinstates it."""
    only = "" if asking.only is None else f" AND d.profile_id = {asking.parameters(asking.only)}"
    return (
        "SELECT d.profile_id FROM profiles_suppression s JOIN profiles_profileidentifier d"
        " ON d.account_id = s.account_id AND d.kind = s.kind AND d.digest = s.digest"
        f" WHERE s.account_id = {asking.parameters(asking.account)}{only}"
    )

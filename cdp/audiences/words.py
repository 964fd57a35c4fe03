"""A rule as a sentence in the reader's language (reference `cdp.md` 7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from cdp.audiences.conditions.document import (
    Attribute,
    Calc,
    Check,
    Count,
    Did,
    Events,
    Group,
    Have,
    Member,
    Node,
    Predicate,
    Scalar,
    Top,
    Window,
)

Names = Mapping[str, str]


def sentence(tree: Group, names: Names | None = None) -> str:
    """`People who ...`. ``names``: identifier -> name of audiences, for those that are mentioned."""
    return _("People who %(rule)s.") % {"rule": of_group(tree, names or {}, outermost=True)}


def phrase(node: Node, names: Names | None = None) -> str:
    """The node alone, as it stands behind `people who`."""
    known = names or {}
    match node:
        case Group():
            return of_group(node, known, outermost=True)
        case Did():
            return of_did(node)
        case Have():
            return of_have(node)
        case Member(audience=audience, is_in=is_in):
            text = _("are in the audience %(name)s") if is_in else _("are not in the audience %(name)s")
            return text % {"name": known.get(audience, audience)}


def of_group(group: Group, names: Names, *, outermost: bool = False) -> str:
    each = [of_group(one, names) if isinstance(one, Group) else phrase(one, names) for one in group.children]
    joined = (_(" and ") if group.op == "and" else _(" or ")).join(each)
    if group.negated:
        return _("do not fit this: (%(rule)s)") % {"rule": joined}
    return joined if outermost or len(each) == 1 else f"({joined})"


def of_did(node: Did) -> str:
    parts = [
        _("did not %(event)s") if node.negated else _("did %(event)s"),
        of_count(node.count, node.count_by),
        of_window(node.events.window),
        of_where(node.events.where),
    ]
    return " ".join(part for part in parts if part) % {"event": node.events.event}


def of_count(count: Count, by: str | None) -> str:
    if count == Count() and by is None:
        return ""
    n = count.value
    times = {
        "gte": ngettext("at least %(n)s time", "at least %(n)s times", n),
        "gt": ngettext("more than %(n)s time", "more than %(n)s times", n),
        "lte": ngettext("at least once and at most %(n)s time", "at least once and at most %(n)s times", n),
        "lt": ngettext(
            "at least once and less than %(n)s time", "at least once and less than %(n)s times", n
        ),
        "eq": ngettext("exactly %(n)s time", "exactly %(n)s times", n),
        "between": ngettext("%(n)s to %(m)s time", "%(n)s to %(m)s times", count.value2 or n),
    }[count.op] % {"n": n, "m": count.value2}
    counted = {
        None: "",
        "order_id": _("counting orders"),
        "product_id": _("counting different products"),
        "session": _("counting sessions"),
        "day": _("counting days"),
    }[by]
    return literal(f"{times} ({counted})" if counted else times)


def of_window(window: Window) -> str:
    match window.kind:
        case "in_last":
            return literal(_("in the last %(span)s") % {"span": span(window.n, window.unit)})
        case "not_in_last":
            return literal(_("more than %(span)s ago") % {"span": span(window.n, window.unit)})
        case "between":
            return literal(_("from %(start)s until %(end)s") % {"start": window.start, "end": window.end})
        case "before":
            return literal(_("before %(moment)s") % {"moment": window.end})
        case "after":
            return literal(_("from %(moment)s on") % {"moment": window.start})
    return ""


def span(n: int, unit: str) -> str:
    return {
        "hour": ngettext("%(n)s hour", "%(n)s hours", n),
        "day": ngettext("%(n)s day", "%(n)s days", n),
        "week": ngettext("%(n)s week", "%(n)s weeks", n),
        "month": ngettext("%(n)s month", "%(n)s months", n),
        "year": ngettext("%(n)s year", "%(n)s years", n),
    }[unit] % {"n": n}


def of_where(where: tuple[Predicate, ...]) -> str:
    if not where:
        return ""
    each = _(" and ").join(f"{one.property} {of_check(one.check)}" for one in where)
    return literal(_("where %(filters)s") % {"filters": each})


def literal(text: str) -> str:
    """For a sentence whose placeholders are filled in later."""
    return text.replace("%", "%%")


def of_have(node: Have) -> str:
    return _("have %(subject)s that %(check)s") % {
        "subject": of_subject(node.subject),
        "check": of_check(node.check),
    }


def of_subject(subject: Attribute | Calc | Top) -> str:
    if isinstance(subject, Attribute):
        return subject.name
    events = of_events(subject.events)
    if isinstance(subject, Top):
        return of_top(subject, events)
    what = {
        "sum": _("a sum of %(property)s over %(events)s"),
        "avg": _("an average of %(property)s over %(events)s"),
        "min": _("a smallest %(property)s of %(events)s"),
        "max": _("a largest %(property)s of %(events)s"),
        "count": _("a number of %(events)s"),
        "distinct": _("a number of different %(property)s of %(events)s"),
        "first": _("a first %(property)s of %(events)s"),
        "last": _("a last %(property)s of %(events)s"),
        "days_since_last": _("a number of days since the last of %(events)s"),
    }[subject.calc]
    return what % {"property": subject.property or _("moment"), "events": events}


def of_top(top: Top, events: str) -> str:
    words = {"category": _("category"), "brand": _("brand"), "product": _("product")}
    text = ngettext(
        "a top %(dimension)s by %(metric)s of %(events)s",
        "one of the top %(n)s (%(dimension)s) by %(metric)s of %(events)s",
        top.rank,
    )
    metric = pgettext("how many", "number") if top.property is None else top.property
    return text % {"n": top.rank, "dimension": words[top.dimension], "metric": metric, "events": events}


def of_events(events: Events) -> str:
    parts = [events.event.replace("%", "%%"), of_window(events.window), of_where(events.where)]
    return " ".join(part for part in parts if part) % {}


def of_check(check: Check) -> str:
    text = {
        "eq": _("is %(value)s"),
        "ne": _("is not %(value)s"),
        "gt": _("is more than %(value)s"),
        "gte": _("is at least %(value)s"),
        "lt": _("is less than %(value)s"),
        "lte": _("is at most %(value)s"),
        "between": _("is between %(value)s and %(value2)s"),
        "in": _("is one of %(value)s"),
        "not_in": _("is none of %(value)s"),
        "contains": _("contains %(value)s"),
        "not_contains": _("does not contain %(value)s"),
        "starts_with": _("begins with %(value)s"),
        "ends_with": _("ends with %(value)s"),
        "regex": _("matches %(value)s"),
        "is_empty": _("is empty"),
        "is_not_empty": _("is not empty"),
        "is_true": _("is true"),
        "is_false": _("is false"),
        "before": _("is before %(value)s"),
        "after": _("is %(value)s or later"),
        "in_last": _("is in the last %(span)s"),
        "in_next": _("is in the next %(span)s"),
        "anniversary_in_next": _("has its anniversary in the next %(span)s"),
        "has_any": _("has any of %(value)s"),
        "has_all": _("has all of %(value)s"),
        "has_none": _("has none of %(value)s"),
    }[check.op]
    filled = text % {"value": of_value(check.value), "value2": of_value(check.value2), "span": of_span(check)}
    return _("%(check)s (as it is spelled)") % {"check": filled} if check.case else filled


def of_span(check: Check) -> str:
    if check.op in ("in_last", "in_next", "anniversary_in_next"):
        return span(int(str(check.value)), str(check.value2 or "day"))
    return ""


def of_value(value: Scalar | tuple[Scalar, ...] | None) -> str:
    if isinstance(value, tuple):
        return ", ".join(of_value(one) for one in value)
    if isinstance(value, bool):
        return _("true") if value else _("false")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"“{value}”" if value is not None else ""

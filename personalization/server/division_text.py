"""Divisions of a model as lines of text, in which editors write them.

A line of values is ``reds: red, pink``, one of numbers ``20:40`` (either end may be left out), one of hours
``06:00-10:00``, one of segments ``women in Poland: 7 AND 11`` with brackets for what is combined otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from personalization.server.divisions import Interval, Nominal, Numeric, SegmentGroup, Slot, label

TOKEN = re.compile(r"\s*(\(|\)|\d{1,10}|[A-Za-z]+)")
DEEPEST = 20


class WrongLine(ValueError):
    """A line that says nothing; the message quotes it."""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def groups_of(text: str) -> list[dict[str, Any]]:
    """Value groups of lines such as ``reds: red, pink``. Raises :class:`WrongLine`."""
    found = []
    for line in lines(text):
        name, colon, rest = line.partition(":")
        values = list(dict.fromkeys(part.strip() for part in rest.split(",") if part.strip()))
        if not colon or not name.strip() or not values:
            raise WrongLine(
                gettext(
                    "Write a name, a colon and values, such as reds: red, pink. This line does not fit: %s"
                )
                % line[:80]
            )
        found.append({"name": name.strip(), "values": values})
    return found


def text_of_groups(one: Nominal) -> str:
    return "\n".join(f"{group.name}: {', '.join(group.values)}" for group in one.groups)


def intervals_of(text: str) -> list[dict[str, Any]]:
    """Intervals of lines such as ``20:40``. Raises :class:`WrongLine`."""
    found = []
    for line in lines(text):
        start, colon, end = (part.strip() for part in line.partition(":"))
        try:
            given = {"start": float(start) if start else None, "end": float(end) if end else None}
        except ValueError:
            colon = ""
        if not colon:
            raise WrongLine(
                gettext(
                    "Write two numbers with a colon between them, such as 20:40. This line does not fit: %s"
                )
                % line[:80]
            )
        found.append(given)
    return found


def text_of_intervals(one: Numeric) -> str:
    return "\n".join(label(Interval(start=each.start, end=each.end)) for each in one.ordered())


def slots_of(text: str) -> list[dict[str, str]]:
    """Time slots of lines such as ``06:00-10:00``. Raises :class:`WrongLine`."""
    found = []
    for line in lines(text):
        start, dash, end = (part.strip() for part in line.replace("–", "-").partition("-"))
        if not dash:
            raise WrongLine(
                gettext(
                    "Write two times with a dash between, such as 06:00-10:00. This line does not fit: %s"
                )
                % line[:80]
            )
        found.append({"start": start, "end": end})
    return found


def text_of_slots(slots: list[Slot]) -> str:
    return "\n".join(slot.name for slot in slots)


def segment_groups_of(text: str) -> list[dict[str, Any]]:
    """Segment groups of lines such as ``young: 7 AND (10 OR 11)``. Raises :class:`WrongLine`."""
    found = []
    for line in lines(text):
        name, colon, rule = line.partition(":")
        group = Rule(rule).read() if colon and name.strip() else None
        if group is None:
            raise WrongLine(
                gettext(
                    "Write a name, a colon and numbers of segments with AND or OR, such as"
                    " women in Poland: 7 AND 11. This line does not fit: %s"
                )
                % line[:80]
            )
        found.append(group | {"name": name.strip()})
    return found


def text_of_segments(groups: list[SegmentGroup]) -> str:
    return "\n".join(f"{group.name}: {words_of(group)}" for group in groups)


def words_of(group: SegmentGroup) -> str:
    """A group's rule. Child groups always hold in addition, so beside them OR needs brackets."""
    own = f" {group.operator} ".join(map(str, group.segments))
    if not group.children:
        return own
    if group.operator == "OR" and len(group.segments) > 1:
        own = f"({own})"
    return " AND ".join([*([own] if own else []), *(f"({words_of(child)})" for child in group.children)])


class Rule:
    """One rule being read: terms joined by AND or OR alone; a term is a number or a rule in brackets."""

    def __init__(self, text: str) -> None:
        self.tokens = list(tokens(text))
        self.depth = 0

    def read(self) -> dict[str, Any] | None:
        """The group as a document; None for what is no rule, or one that a group cannot say."""
        found = self.rule()
        return None if self.tokens else found

    def rule(self) -> dict[str, Any] | None:
        self.depth += 1
        joiners: set[str] = set()
        segments: list[int] = []
        children: list[dict[str, Any]] = []
        while self.depth <= DEEPEST:
            found = self.next()
            if found == "(":
                child = self.rule()
                if child is None or self.next() != ")":
                    return None
                children.append(child)
            elif found.isdigit():
                segments.append(int(found))
            else:
                return None
            if not self.tokens or self.tokens[0] == ")":
                self.depth -= 1
                return grouped(segments, children, joiners)
            joiners.add(self.next().upper())
        return None

    def next(self) -> str:
        return self.tokens.pop(0) if self.tokens else ""


def grouped(segments: list[int], children: list[dict[str, Any]], joiners: set[str]) -> dict[str, Any] | None:
    """A document of a group; brackets are joined to the rest by AND alone."""
    if len(joiners) > 1 or joiners - {"AND", "OR"} or (children and joiners - {"AND"}):
        return None
    operator = "OR" if joiners == {"OR"} else "AND"
    return {"operator": operator, "segments": segments, "children": children}


def tokens(text: str) -> Iterator[str]:
    """Brackets, numbers and words; a last, empty one that fits nowhere where there is anything else."""
    at, text = 0, text.strip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            yield ""
            return
        yield found[1]
        at = found.end()

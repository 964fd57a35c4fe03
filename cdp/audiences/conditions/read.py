"""Reading a condition document; all that is wrong with it is found at once (reference `cdp.md` 3.2, 3.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from cdp.audiences.conditions import checks, events, properties
from cdp.audiences.conditions.checks import Wrong, bad
from cdp.audiences.conditions.document import (
    Attribute,
    Calc,
    Check,
    Did,
    Group,
    Have,
    Member,
    Node,
    Top,
)
from cdp.audiences.conditions.faults import BadDefinition, Problem, shown

DEEPEST, MOST_NODES, MOST_CHILDREN = 6, 200, 50
KEYS = {
    "group": {"type", "op", "not", "children"},
    "did": {"type", "event", "window", "count", "count_by", "where"},
    "did_not": {"type", "event", "window", "count", "count_by", "where"},
    "have": {"type", "attribute", "op", "value", "value2", "case"},
    "audience": {"type", "audience", "is"},
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a document may speak of. ``None`` for what is not to be judged: a definition that was saved stays
    readable when an attribute is gone."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    events: Collection[str] | None = None
    attributes: Mapping[str, str] | None = None  # name -> type
    audiences: Collection[str] | None = None  # identifiers


def read(document: Any, known: Known | None = None) -> Group:
    """The tree of the document. Raises :class:`BadDefinition` with every problem."""
    reader = Reader(known or Known())
    tree = reader.root(document)
    if tree is None or reader.problems:
        raise BadDefinition(reader.problems)
    return tree


def warnings(document: Any, known: Known) -> list[Problem]:
    """What can never hold: an operator that does not fit the type of its attribute. Raises BadDefinition."""
    reader = Reader(known)
    if reader.root(document) is None or reader.problems:
        raise BadDefinition(reader.problems)
    return reader.warnings


class Reader:
    def __init__(self, known: Known) -> None:
        self.known = known
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.nodes = 0

    def problem(self, code: str, pointer: str, message: str) -> None:
        self.problems.append(Problem(code, pointer, message))

    def root(self, document: Any) -> Group | None:
        if not isinstance(document, dict) or document.get("type") != "group":
            self.problem("bad_value", "", f"The document must be a group; got {shown(document)}.")
            return None
        return self.group(document, "", depth=1)

    def node(self, written: Any, pointer: str, *, depth: int) -> Node | None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            if self.nodes == MOST_NODES + 1:
                self.problem("too_many_nodes", pointer, f"A document has at most {MOST_NODES} nodes.")
            return None
        kind = written.get("type") if isinstance(written, dict) else None
        if not isinstance(kind, str) or kind not in KEYS:
            where = f"{pointer}/type" if isinstance(written, dict) else pointer
            self.problem("bad_value", where, f"type must be one of {', '.join(KEYS)}; got {shown(kind)}.")
            return None
        if kind == "group":
            return self.group(written, pointer, depth=depth)
        return self.leaf(kind, written, pointer)

    def group(self, written: dict[str, Any], pointer: str, *, depth: int) -> Group | None:
        if depth == 1:
            self.nodes += 1
        if depth > DEEPEST:
            self.problem("too_deep", pointer, f"Groups stand at most {DEEPEST} deep in each other.")
            return None
        try:
            only(written, KEYS["group"])
            op, negated = of_group(written)
        except Wrong as fault:
            self.problem(fault.code, f"{pointer}/{fault.key}", str(fault))
            return None
        children = self.children(written.get("children"), f"{pointer}/children", depth=depth)
        return None if children is None else Group(op=op, negated=negated, children=children)

    def children(self, written: Any, pointer: str, *, depth: int) -> tuple[Node, ...] | None:
        if not isinstance(written, list):
            self.problem("bad_value", pointer, f"children must be a list; got {shown(written)}.")
            return None
        if not written:
            self.problem("empty_group", pointer, "A group has at least one condition.")
            return None
        if len(written) > MOST_CHILDREN:
            self.problem("too_many_nodes", pointer, f"A group has at most {MOST_CHILDREN} conditions.")
        found = [self.node(one, f"{pointer}/{place}", depth=depth + 1) for place, one in enumerate(written)]
        return tuple(one for one in found if one is not None)

    def leaf(self, kind: str, written: dict[str, Any], pointer: str) -> Node | None:
        try:
            only(written, KEYS[kind])
            if kind == "audience":
                return self.member(written)
            if kind == "have":
                return self.have(written, pointer)
            return self.did(written, negated=kind == "did_not")
        except Wrong as fault:
            self.problem(fault.code, f"{pointer}/{fault.key}" if fault.key else pointer, str(fault))
            return None

    def member(self, written: dict[str, Any]) -> Member:
        name, is_in = written.get("audience"), written.get("is", True)
        if not isinstance(is_in, bool):
            raise bad("is", "true or false", is_in)
        if not isinstance(name, str) or (
            self.known.audiences is not None and name not in self.known.audiences
        ):
            raise Wrong("unknown_audience", "audience", f"There is no audience {shown(name)}.")
        return Member(audience=name, is_in=is_in)

    def did(self, written: dict[str, Any], *, negated: bool) -> Did:
        by = written.get("count_by")
        if by is not None and by not in events.COUNTED:
            raise bad("count_by", f"null or one of {', '.join(events.COUNTED)}", by)
        return Did(
            events=events.read(written, known=self.known.events, zone=self.known.zone),
            count=events.count(written.get("count")),
            count_by=by,
            negated=negated,
        )

    def have(self, written: dict[str, Any], pointer: str) -> Have:
        subject = self.subject(written.get("attribute"))
        check = checks.read(written, kind=events.kind_of(subject), zone=self.known.zone)
        if isinstance(subject, Attribute):
            self.warn(subject, check, f"{pointer}/op")
        return Have(subject=subject, check=check)

    def subject(self, written: Any) -> Attribute | Calc | Top:
        if isinstance(written, dict):
            return events.calculated(written, known=self.known.events, zone=self.known.zone)
        types = self.known.attributes
        if not isinstance(written, str) or not events.ATTRIBUTE.match(written):
            raise Wrong("unknown_attribute", "attribute", f"attribute must be a name; got {shown(written)}.")
        if types is not None and written not in types:
            raise Wrong("unknown_attribute", "attribute", f"No attribute is called {shown(written)}.")
        return Attribute(name=written)

    def warn(self, subject: Attribute, check: Check, pointer: str) -> None:
        kind = (self.known.attributes or {}).get(subject.name, "")
        if kind in properties.FITTING and check.op not in properties.FITTING[kind]:
            message = f"{subject.name} is of the type {kind}; {check.op} compares nothing of it."
            self.warnings.append(Problem("type_mismatch", pointer, message))


def only(written: dict[str, Any], keys: Collection[str]) -> None:
    if more := sorted(str(key) for key in written if key not in keys):
        raise Wrong(
            "bad_value", more[0], f"{shown(more[0])} is not known here; known: {', '.join(sorted(keys))}."
        )


def of_group(written: dict[str, Any]) -> tuple[str, bool]:
    op, negated = written.get("op"), written.get("not", False)
    if op not in ("and", "or"):
        raise Wrong("bad_operator", "op", f"op must be and or or; got {shown(op)}.")
    if not isinstance(negated, bool):
        raise bad("not", "true or false", negated)
    return op, negated

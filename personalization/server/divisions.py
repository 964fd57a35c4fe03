"""How a model is divided: submodels, time slots and segment groups (engine-protocol.md 5.8 to 5.11).

The JSON document of ``Model.divisions``. A submodel holds the items with some values of an attribute; a time
slot is learnt from the events of some hours, a segment group from the events of its members.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ATTRIBUTE = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
MAX_VALUES = 50  # of an attribute that is divided by itself
MINUTES = 24 * 60
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ValueGroup(Strict):
    """Values of an attribute that belong together, such as red and pink."""

    name: str = Field(min_length=1, max_length=64)
    values: list[str] = Field(min_length=1, max_length=1000)


class Nominal(Strict):
    """Submodels by the values of one attribute. A value may stand in one group only."""

    attribute: ATTRIBUTE
    groups: list[ValueGroup] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _each_value_once(self) -> Nominal:
        values = [value for group in self.groups for value in group.values]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"{self.attribute}: the value {twice[0]!r} stands in more than one group")
        return self

    def names_of(self, wanted: Sequence[str]) -> list[str]:
        """The groups that hold one of these values."""
        return [self.name_of(group.name) for group in self.groups if set(group.values) & set(wanted)]

    def name_of(self, group: str) -> str:
        return f"{self.attribute}={group}"


class Interval(Strict):
    """From ``start`` up to, but without, ``end``; empty ones are open."""

    start: float | None = None
    end: float | None = None

    @property
    def low(self) -> float:
        return -math.inf if self.start is None else self.start

    @property
    def high(self) -> float:
        return math.inf if self.end is None else self.end


class Numeric(Strict):
    """Submodels by intervals of one attribute's numbers; the end of the last one is part of it."""

    attribute: ATTRIBUTE
    intervals: list[Interval] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _apart(self) -> Numeric:
        for one in self.intervals:
            if not one.low < one.high:
                raise ValueError(f"{self.attribute}: an interval must start below its end")
        for one, other in pairwise(self.ordered()):
            if one.high > other.low:
                raise ValueError(f"{self.attribute}: the intervals {label(one)} and {label(other)} overlap")
        return self

    def ordered(self) -> list[Interval]:
        return sorted(self.intervals, key=lambda one: one.low)

    def holding(self, number: float) -> list[str]:
        """The name of the interval that a number lies in, none or one."""
        ordered = self.ordered()
        for one in ordered:
            if one.low <= number < one.high or (one is ordered[-1] and number == one.high):
                return [self.name_of(one)]
        return []

    def meeting(self, low: float, high: float) -> list[str]:
        """The names of the intervals that have something in common with ``low`` to ``high``."""
        return [self.name_of(one) for one in self.ordered() if one.low < high and low < one.high] or (
            self.holding(low) if low == high else []
        )

    def name_of(self, one: Interval) -> str:
        return f"{self.attribute}={label(one)}"


def label(one: Interval) -> str:
    return f"{'' if one.start is None else one.start}:{'' if one.end is None else one.end}"


class Slot(Strict):
    """Hours of the day, in the customer's time zone: "08:00" to "11:30". Not over midnight."""

    start: str
    end: str

    @field_validator("start", "end")
    @classmethod
    def _clock(cls, value: str) -> str:
        if not CLOCK.fullmatch(value):
            raise ValueError(f"a time must be from 00:00 to 24:00; got {value[:16]!r}")
        return value

    @model_validator(mode="after")
    def _forward(self) -> Slot:
        if not self.begins < self.ends:
            raise ValueError(f"a time slot must end after its start and before midnight; got {self.name}")
        return self

    @property
    def begins(self) -> int:
        return minutes(self.start)

    @property
    def ends(self) -> int:
        return minutes(self.end)

    @property
    def name(self) -> str:
        return f"{self.start}-{self.end}"


def minutes(clock: str) -> int:
    """Minutes since midnight."""
    return int(clock[:2]) * 60 + int(clock[3:])


class SegmentGroup(Strict):
    """Segments combined by AND or OR; child groups hold in addition (AND)."""

    name: str = Field(default="", max_length=64)
    operator: Literal["AND", "OR"] = "OR"
    segments: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(default_factory=list, max_length=100)
    children: list[SegmentGroup] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _says_something(self) -> SegmentGroup:
        if not self.segments and not self.children:
            raise ValueError("a segment group must name a segment")
        return self

    def ids(self) -> set[int]:
        """All segments that it names."""
        return set(self.segments).union(*(child.ids() for child in self.children))

    def holds(self, segments: set[int]) -> bool:
        """Whether an event of somebody in these segments belongs to the group."""
        own = all if self.operator == "AND" else any
        mine = not self.segments or own(one in segments for one in self.segments)
        return mine and all(child.holds(segments) for child in self.children)


class Divisions(Strict):
    """All divisions of one model. ``dynamic``: attributes that are divided by themselves when asked for."""

    version: Literal[1] = 1
    nominal: list[Nominal] = Field(default_factory=list, max_length=20)
    numeric: list[Numeric] = Field(default_factory=list, max_length=20)
    dynamic: bool = False
    slots: list[Slot] = Field(default_factory=list, max_length=48)
    segments: list[SegmentGroup] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _fit_together(self) -> Divisions:
        for one, other in pairwise(sorted(self.slots, key=lambda slot: slot.begins)):
            if one.ends > other.begins:
                raise ValueError(f"the time slots {one.name} and {other.name} overlap")
        names = [group.name for group in self.segments]
        if "" in names or len(set(names)) < len(names):
            raise ValueError("each segment group needs a name of its own")
        return self

    def slot_at(self, minute: int) -> Slot | None:
        """The slot of a minute of the day, if any."""
        return next((one for one in self.slots if one.begins <= minute < one.ends), None)

    def groups_for(self, segments: set[int]) -> Iterator[SegmentGroup]:
        """The segment groups that a request with these segments means: all that it names are asked for."""
        return (one for one in self.segments if one.ids() <= segments and one.holds(segments))

    def attributes(self) -> set[str]:
        return {one.attribute for one in self.nominal} | {one.attribute for one in self.numeric}


def slot_part(slot: Slot) -> str:
    """The name of a slot's part in an artefact."""
    return f"slot {slot.name}"


def segment_part(group: SegmentGroup) -> str:
    return f"segments {group.name}"

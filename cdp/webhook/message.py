"""The document of a webhook request, version 1 (reference `cdp.md` 4.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    model_validator,
)
from typing_extensions import TypedDict  # that of Python 3.11 is not enough for pydantic

MOST_ACTIONS = 5_000
MOST_AUDIENCES = 1_000


def text_of_number(value: Any) -> Any:
    """Ids may be numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


NO_NUL = r"^[^\x00]*$"  # PostgreSQL takes none
IdText = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
Id = Annotated[IdText, BeforeValidator(text_of_number)]
PersonText = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Tag = Annotated[str, Field(max_length=64, pattern=NO_NUL)]
FIRST_YEAR, LAST_YEAR = 1970, 9998


def in_utc(value: datetime) -> datetime:
    """A time without an offset is in UTC; what no database can compare is refused."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(in_utc)]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Audience(Part):
    id: Id
    identifier: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    name: Name
    description: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    profile_count: Annotated[StrictInt, Field(ge=0, lt=2**53)] | None = None
    updated_at: Moment | None = None


class Action(TypedDict):
    """A dictionary, and ids as they came: a model with texts made of numbers takes fifteen times as long."""

    op: Literal["add", "remove"]
    audience: IdText | StrictInt
    person: PersonText | StrictInt


# How pydantic names the halves of "a text or a number" in the place of a fault.
HALVES = {"constrained-str", "int"}


class Message(Part):
    version: Literal[1]
    request_id: Id
    segment_group_identifier: Id
    person_identifier: Literal["userid", "email"] = "userid"
    sequence: Annotated[StrictInt, Field(ge=0, lt=2**63)] | None = None
    audiences: Annotated[list[Audience], Field(max_length=MOST_AUDIENCES)]
    actions: Annotated[list[Action], Field(max_length=MOST_ACTIONS)]

    @model_validator(mode="after")
    def told_of_every_audience(self) -> Message:
        known = {one.id for one in self.audiences}
        for place, action in enumerate(self.actions):
            audience = str(action["audience"])
            if audience not in known:
                raise ValueError(f"/actions/{place}/audience: {audience!r} is not among the audiences")
        return self


def fault_of(error: ValidationError) -> tuple[str, str]:
    """JSON pointer and reason of the first fault; no value, which may name a person."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    pointer = "".join(f"/{part}" for part in first["loc"] if part not in HALVES)
    if not pointer and reason.startswith("/"):
        pointer, _, reason = reason.partition(": ")
    return pointer, reason

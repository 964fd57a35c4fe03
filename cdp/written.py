"""The keys of a site's ``cdp`` and of the global one as they may be written (reference `cdp.md` 1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from cdp.cron import Cron
from cdp.webhook import signature
from config.site_access.schema import BaseAddress

Kind = Literal["user", "product", "content"]
KINDS: tuple[Kind, ...] = ("user", "product", "content")
# The documentation writes four groups of eight digits, the vendor GUIDs; both are opaque.
STREAM_ID = re.compile(r"[0-9A-Fa-f]{8}(?:(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?:-[0-9A-Fa-f]{8}){3})")
STREAM_ID_RULE = (
    "must be a stream id: 8-4-4-4-12 or 8-8-8-8 hexadecimal digits, as stage 2 of the dataflow shows it"
)


def stream_id(value: str) -> str:
    if not STREAM_ID.fullmatch(value):
        raise ValueError(STREAM_ID_RULE)
    return value


def known_transport(value: Any) -> Any:
    if value != "stream_file":
        raise ValueError(f"must be stream_file, the only transport; got {str(value)[:80]!r}")
    return value


Secret = Annotated[str, Field(min_length=1, max_length=255)]
StreamId = Annotated[str, AfterValidator(stream_id)]


class Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Activation(Node):
    """Who may fill which segment group."""

    client_id: str = Field(min_length=1, max_length=255)
    # Two while it is being replaced; the first is the newer one.
    client_secret: tuple[Secret, ...] = Field(min_length=1, max_length=2, repr=False)
    segment_group_identifier: str = Field(min_length=1, max_length=64)
    # Where there is one, each request must be signed with it; two while it is being replaced.
    signing_secret: tuple[str, ...] = Field(default=(), max_length=2, repr=False)

    @field_validator("client_secret", "signing_secret", mode="before")
    @classmethod
    def one_or_two(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else (value or [])

    @field_validator("signing_secret")
    @classmethod
    def as_the_standard_has_them(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            signature.key_of(one)
        return value


class StreamFile(Node):
    stream_id: StreamId = Field(repr=False)  # whoever knows it can send rows


class Export(Node):
    """Where the rows of one kind go."""

    transport: Annotated[Literal["stream_file"], BeforeValidator(known_transport)] = "stream_file"
    stream_file: StreamFile


class DataExport(Node):
    user_data: Export | None = None
    product_data: Export | None = None
    content_data: Export | None = None


class Membership(Node):
    """The credentials by which anonymous visitors are asked for, and where; "" is this installation."""

    endpoint: BaseAddress = ""
    activation_id: str = Field(min_length=1, max_length=255)
    api_key: str = Field(min_length=1, max_length=255, repr=False)


class SiteCdp(Node):
    """The part of one site."""

    account_number: int | None = Field(default=None, ge=1, lt=10**9)
    stream_endpoint: BaseAddress = ""  # of the platform that takes the rows; "" is this installation
    data_export: DataExport = DataExport()
    activations: tuple[Activation, ...] = ()
    membership: Membership | None = None

    @field_validator("activations", mode="before")
    @classmethod
    def one_or_several(cls, value: Any) -> Any:
        """Older releases had one mapping; nothing is none."""
        return [value] if isinstance(value, dict) else (value or [])

    def stream_of(self, kind: Kind) -> str:
        """The stream id for rows of this kind, "" where none is configured."""
        export: Export | None = getattr(self.data_export, f"{kind}_data")
        return export.stream_file.stream_id if export else ""


# Which keys may stand below a key.
MODELS: dict[str, type[Node]] = {
    "data_export": DataExport,
    **{f"{kind}_data": Export for kind in KINDS},
    "stream_file": StreamFile,
    "activations": Activation,
    "membership": Membership,
}


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """One entry of ``data_export.schedule``: which command is due when, with which options."""

    section: Kind
    interval: str
    cron: Cron
    options: str
    place: str  # in the sites file, for people

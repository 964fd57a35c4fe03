"""The parameters that several events share, and what is known of each parameter.

The table of rules in :mod:`tracking.events` puts them together. Source: engine-protocol, 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tracking import fields
from tracking.fields import Kind, Parser


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One query parameter: its column in the event row, how it is read, and its rule in words."""

    name: str
    column: str
    kind: Kind
    rule: str
    example: str
    unit: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()
    parse: Parser = field(init=False, repr=False)  # of the kind; without a detour, for it reads every event

    def __post_init__(self) -> None:
        object.__setattr__(self, "parse", self.kind.parse)


CATEGORY_PATH = Parameter(
    name="categorypath",
    column="category_path",
    kind=fields.CATEGORY_PATH,
    rule="categories from the root, joined by /; slashes at the ends are ignored",
    example="Shop/Cameras",
)
SCENARIO = Parameter(
    name="scenario",
    column="scenario",
    kind=fields.text_of(64),
    rule="1 to 64 characters",
    example="front",
    required=True,
)
FROM_RECOMMENDATION = (
    Parameter(
        name="modelid",
        column="model_id",
        kind=fields.text_of(64),
        rule="1 to 64 characters",
        example="also_clicked",
        aliases=("modelId",),
    ),
    Parameter(
        name="requestuuid",
        column="request_uuid",
        kind=fields.matching("[0-9A-Za-z-]{1,36}", "1 to 36 letters, digits and hyphens"),
        rule="1 to 36 letters, digits and hyphens",
        example="0b7c2f4e-5a0f-4c59-9a55-0c2f6b7d1e11",
    ),
    CATEGORY_PATH,
)
TRIGGER_NAME = Parameter(
    name="triggername",
    column="trigger_name",
    kind=fields.text_of(64),
    rule="1 to 64 characters",
    example="spring-mail",
    required=True,
)
ORDER_ID = Parameter(
    name="orderid",
    column="order_id",
    kind=fields.text_of(255),
    rule="the order that the item was bought with, optional; the same for every line of it",
    example="A-2041",
)
CURRENCY = Parameter(
    name="currency",
    column="currency",
    kind=fields.CURRENCY,
    rule="ISO 4217 code of the deprecated price, default EUR",
    example="EUR",
)

# Accepted on every event.
COMMON = (
    Parameter(
        name="eventid",
        column="event_id",
        kind=fields.matching(r"[!-\[\]-~]{1,64}", "1 to 64 visible ASCII characters, no backslash"),
        rule="an id that the sender repeats when it repeats the request; the event is stored once",
        example="4f1c9a52",
    ),
    Parameter(
        name="lang",
        column="lang",
        kind=fields.matching("[0-9A-Za-z_-]{1,16}", "1 to 16 letters, digits and hyphens such as eng-GB"),
        rule="language of the page, e.g. eng-GB",
        example="eng-GB",
    ),
    Parameter(
        name="segments",
        column="segments",
        kind=fields.matching("(?=.{1,255}$)[0-9]{1,10}(,[0-9]{1,10})*", "segment ids joined by commas"),
        rule="segment ids joined by commas, at most 255 characters",
        example="7,12",
    ),
    Parameter(
        name="consent",
        column="consent",
        kind=fields.matching("[01]", "1 (the person consented) or 0 (the person refused)"),
        rule="1: the person consented to being followed; 0: the person refused, the event only counts",
        example="1",
    ),
    Parameter(
        name="usersig",
        column="usersig",
        kind=fields.matching("[0-9a-fA-F]{32}", "32 hexadecimal digits"),
        rule="the site's signature of the user id, where the customer asks for it",
        example="0123456789abcdef0123456789abcdef",
    ),
    Parameter(
        name="overridetimestamp",
        column="overridetimestamp",
        kind=fields.matching(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
            "a date and time in UTC without a zone such as 2012-01-01T11:00:00",
        ),
        rule="date and time in UTC of an event of the past, only with signature",
        example="2012-01-01T11:00:00",
        unit="UTC, to the second",
    ),
    Parameter(
        name="signature",
        column="signature",
        kind=fields.matching("[0-9a-f]{32}", "32 hexadecimal digits in lower case"),
        rule="MD5 that proves overridetimestamp comes from the owner of the license key",
        example="0123456789abcdef0123456789abcdef",
    ),
)

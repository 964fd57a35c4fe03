"""The one table of event rules: code -> path, parameters, ranges.

Collector, history import, documentation and tests read it. Source: engine-protocol, 1.3.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tracking import fields
from tracking.fields import BadEvent, Parser

NOT_DEFINED = "not_defined"  # "store the event, link it to nobody"
MOST_RENDERED = 500


class Shape(Enum):
    """What follows the event code in the path."""

    ITEM = "{userid}/{itemtypeid}/{itemid}"
    ITEMS = "{userid}/{itemtypeid}/{itemid[,itemid]}"
    LOGIN = "{sourceuserid}/{targetuserid}"
    USER = "{userid}"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One query parameter: its column in the event row, how it is read, and its rule in words."""

    name: str
    column: str
    parse: Parser
    rule: str
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Everything that is known of one event code."""

    code: str
    meaning: str
    shape: Shape = Shape.ITEM
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    by_name: Mapping[str, Parameter] = field(init=False, repr=False)
    required: tuple[Parameter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        everywhere = self.parameters + COMMON
        by_name = {name: p for p in everywhere for name in (p.name, *p.aliases)}
        object.__setattr__(self, "by_name", MappingProxyType(by_name))
        object.__setattr__(self, "required", tuple(p for p in everywhere if p.required))


CATEGORY_PATH = Parameter(
    name="categorypath",
    column="category_path",
    parse=fields.category_path,
    rule="categories from the root, joined by /; slashes at the ends are ignored",
)
SCENARIO = Parameter(
    name="scenario", column="scenario", parse=fields.text_of(64), rule="1 to 64 characters", required=True
)
FROM_RECOMMENDATION = (
    Parameter(
        name="modelid",
        column="model_id",
        parse=fields.text_of(64),
        rule="1 to 64 characters",
        aliases=("modelId",),
    ),
    Parameter(
        name="requestuuid",
        column="request_uuid",
        parse=fields.matching("[0-9A-Za-z-]{1,36}", "1 to 36 letters, digits and hyphens"),
        rule="1 to 36 letters, digits and hyphens",
    ),
    CATEGORY_PATH,
)
TRIGGER_NAME = Parameter(
    name="triggername",
    column="trigger_name",
    parse=fields.text_of(64),
    rule="1 to 64 characters",
    required=True,
)
CURRENCY = Parameter(
    name="currency",
    column="currency",
    parse=fields.matching("[A-Z]{3}", "an ISO 4217 code such as EUR"),
    rule="ISO 4217 code of the deprecated price, default EUR",
)

# Accepted on every event.
COMMON = (
    Parameter(
        name="eventid",
        column="event_id",
        parse=fields.matching("[!-~]{1,64}", "1 to 64 visible ASCII characters"),
        rule="an id that the sender repeats when it repeats the request; the event is stored once",
    ),
    Parameter(
        name="lang",
        column="lang",
        parse=fields.matching("[0-9A-Za-z_-]{1,16}", "1 to 16 letters, digits and hyphens such as eng-GB"),
        rule="language of the page, e.g. eng-GB",
    ),
    Parameter(
        name="segments",
        column="segments",
        parse=fields.matching("(?=.{1,255}$)[0-9]{1,10}(,[0-9]{1,10})*", "segment ids joined by commas"),
        rule="segment ids joined by commas, at most 255 characters",
    ),
    Parameter(
        name="consent",
        column="consent",
        parse=fields.matching("[01]", "1 (the person consented) or 0 (the person refused)"),
        rule="1: the person consented to being followed; 0: the person refused, the event only counts",
    ),
    Parameter(
        name="usersig",
        column="usersig",
        parse=fields.matching("[0-9a-fA-F]{32}", "32 hexadecimal digits"),
        rule="the site's signature of the user id, where the customer asks for it",
    ),
    Parameter(
        name="overridetimestamp",
        column="overridetimestamp",
        parse=fields.matching(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
            "a date and time in UTC without a zone such as 2012-01-01T11:00:00",
        ),
        rule="date and time in UTC of an event of the past, only with signature",
    ),
    Parameter(
        name="signature",
        column="signature",
        parse=fields.matching("[0-9a-f]{32}", "32 hexadecimal digits in lower case"),
        rule="MD5 that proves overridetimestamp comes from the owner of the license key",
    ),
)

_TABLE = (
    Rule(code="click", meaning="a detail page was opened", parameters=(CATEGORY_PATH,)),
    Rule(
        code="consume",
        meaning="an article was read or a film watched; the highest percentage counts",
        parameters=(
            Parameter(
                name="percentage", column="percentage", parse=fields.whole(0, 100), rule="0 to 100, optional"
            ),
            CATEGORY_PATH,
        ),
    ),
    Rule(
        code="buy",
        meaning="an item was bought; sent when the check-out can no longer be aborted",
        parameters=(
            Parameter(
                name="quantity",
                column="quantity",
                parse=fields.whole(1, 1_000_000),
                rule="1 to 1000000, default 1",
            ),
            Parameter(
                name="fullprice",
                column="fullprice",
                parse=fields.price,
                rule="price of one unit, e.g. 2.50EUR, optional",
            ),
            Parameter(
                name="price",
                column="minor_price",
                parse=fields.whole(0, 999_999_999_999),
                rule="deprecated: price of one unit in the currency's smallest coin",
            ),
            CURRENCY,
        ),
    ),
    Rule(
        code="login",
        meaning="the visitor is known under another id from now on; the history moves to the target",
        shape=Shape.LOGIN,
        aliases=("transfer",),
    ),
    Rule(code="basket", meaning="an item was put into the cart", parameters=(CATEGORY_PATH,)),
    Rule(code="deletefrombasket", meaning="an item was taken out of the cart"),
    Rule(
        code="wishlist",
        meaning="an item was put on the wish list",
        parameters=(
            Parameter(
                name="price", column="fullprice", parse=fields.price, rule="price at that time, e.g. 2.50EUR"
            ),
        ),
    ),
    Rule(code="deletefromwishlist", meaning="an item was taken off the wish list"),
    Rule(
        code="rate",
        meaning="an item was rated or commented on",
        parameters=(
            Parameter(
                name="rating", column="rating", parse=fields.whole(0, 100), rule="0 to 100", required=True
            ),
        ),
    ),
    Rule(code="blacklist", meaning="the user does not want to see the item again"),
    Rule(code="owns", meaning="the user has the item already; like buy, but not in statistics"),
    Rule(
        code="rendered",
        meaning="recommendations were shown; at most 500 items, stored together or not at all",
        shape=Shape.ITEMS,
        parameters=(
            Parameter(
                name="scenario",
                column="scenario",
                parse=fields.text_of(64),
                rule="1 to 64 characters, optional",
            ),
            *FROM_RECOMMENDATION,
        ),
    ),
    Rule(
        code="clickrecommended",
        meaning="a recommendation was followed",
        parameters=(SCENARIO, *FROM_RECOMMENDATION),
        aliases=("follow",),
    ),
    Rule(
        code="triggeropened",
        meaning="a push message was opened",
        shape=Shape.USER,
        parameters=(TRIGGER_NAME,),
    ),
    Rule(code="clicktriggered", meaning="a link in a push message was followed", parameters=(TRIGGER_NAME,)),
)

# Event code -> rule. Aliases are in SPELLINGS.
RULES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in _TABLE})
SPELLINGS: Mapping[str, Rule] = MappingProxyType(
    {spelling: rule for rule in _TABLE for spelling in (rule.code, *rule.aliases)}
)


def rule_of(code: str) -> Rule:
    """The rule of an event code or alias. Raises :class:`BadEvent` 404 with "did you mean"."""
    rule = SPELLINGS.get(code)
    if rule is None:
        near = difflib.get_close_matches(code.lower()[:40], SPELLINGS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(RULES)}"
        raise BadEvent(404, f"event {fields.shown(code)} not found{hint}")
    return rule

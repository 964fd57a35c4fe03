"""The one table of event rules: code -> path, parameters, ranges.

Collector, history import, debugger, OpenAPI, documentation and tests read it. Source: engine-protocol, 1.3.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from tracking import fields
from tracking.fields import BadEvent
from tracking.parameters import (
    CATEGORY_PATH,
    COMMON,
    CURRENCY,
    FROM_RECOMMENDATION,
    ORDER_ID,
    SCENARIO,
    TRIGGER_NAME,
    Parameter,
)

NOT_DEFINED = "not_defined"  # "store the event, link it to nobody"
MOST_RENDERED = 500


class Shape(Enum):
    """What follows the event code in the path."""

    ITEM = "{userid}/{itemtypeid}/{itemid}"
    ITEMS = "{userid}/{itemtypeid}/{itemid[,itemid]}"
    LOGIN = "{sourceuserid}/{targetuserid}"
    USER = "{userid}"


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


_TABLE = (
    Rule(code="click", meaning="a detail page was opened", parameters=(CATEGORY_PATH,)),
    Rule(
        code="consume",
        meaning="an article was read or a film watched; the highest percentage counts",
        parameters=(
            Parameter(
                name="percentage",
                column="percentage",
                kind=fields.whole(0, 100),
                rule="0 to 100, optional",
                example="75",
                unit="percent",
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
                kind=fields.whole(1, 1_000_000),
                rule="1 to 1000000, default 1",
                example="2",
                unit="pieces",
            ),
            Parameter(
                name="fullprice",
                column="fullprice",
                kind=fields.PRICE_OF_UNIT,
                rule="price of one unit, e.g. 2.50EUR, optional",
                example="2.50EUR",
                unit="the named currency",
            ),
            Parameter(
                name="price",
                column="minor_price",
                kind=fields.whole(0, 999_999_999_999),
                rule="deprecated: price of one unit in the currency's smallest coin",
                example="250",
                unit="smallest coin of the currency",
            ),
            CURRENCY,
            ORDER_ID,
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
                name="price",
                column="fullprice",
                kind=fields.PRICE_OF_UNIT,
                rule="price at that time, e.g. 2.50EUR",
                example="2.50EUR",
                unit="the named currency",
            ),
        ),
    ),
    Rule(code="deletefromwishlist", meaning="an item was taken off the wish list"),
    Rule(
        code="rate",
        meaning="an item was rated or commented on",
        parameters=(
            Parameter(
                name="rating",
                column="rating",
                kind=fields.whole(0, 100),
                rule="0 to 100",
                example="80",
                unit="points, 100 is best",
                required=True,
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
            replace(SCENARIO, rule=f"{SCENARIO.rule}, optional", required=False),
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

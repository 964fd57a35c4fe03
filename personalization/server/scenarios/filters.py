"""A scenario's filters: what must never be recommended. They bind inside the scoring loop.

The JSON document of ``Scenario.filters``; engine-protocol.md 6.4 and 6.5. Validity, output types, blacklists
of the editors and the user's own always hold; the rest can be switched.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Boost(BaseModel):
    """Moves an item up (or down) by places where its attribute has the value of the user's attribute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_attribute: str = Field(pattern=r"^[A-Za-z0-9_]{1,64}$")
    user_attribute: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    places: int = Field(ge=-99, le=99)


class Filters(BaseModel):
    """What a scenario leaves out, and what it prefers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    exclude_context_items: bool = True
    exclude_consumed: bool = False
    exclude_purchased: bool = False
    # An item is shown at most so many times in a visit; empty for any number.
    max_shows: int | None = Field(default=None, ge=1, le=100)
    boosts: list[Boost] = Field(default_factory=list, max_length=20)
    exclude_context_category: bool = False
    excluded_categories: list[str] = Field(default_factory=list, max_length=100)
    exclude_top_selling: bool = False
    exclude_cheaper: bool = False  # than the context item
    min_price: float | None = Field(default=None, gt=0)  # of one unit
    exclude_unpriced: bool = False  # together with one of the two before
    variants: bool = True  # False: base products instead of their variants
    max_item_age_days: float | None = Field(default=None, gt=0, le=36_500)

    @field_validator("excluded_categories")
    @classmethod
    def _stripped(cls, values: list[str]) -> list[str]:
        found = ["/".join(part for part in value.split("/") if part) for value in values]
        if "" in found:
            raise ValueError("the whole site cannot be an excluded category")
        return list(dict.fromkeys(found))

    @property
    def priced(self) -> bool:
        """Whether items without a price are left out (6.5: only with a price filter)."""
        return self.exclude_unpriced and (self.exclude_cheaper or self.min_price is not None)

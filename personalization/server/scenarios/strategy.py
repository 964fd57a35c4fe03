"""A scenario's strategy: levels, the models placed on them, and where their context comes from.

The JSON document of ``Scenario.strategy``; engine-protocol.md 6.2 and 6.3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_LEVELS = 4  # primary and three fallbacks


class Context(StrEnum):
    """Where a model's context items come from."""

    AUTOMATIC = "automatic"  # the request's items, else the user's clicks
    ITEM = "item"  # the request's items
    CLICKED = "clicked"
    CONSUMED = "consumed"
    OWNS = "owns"
    RATED = "rated"
    BASKET = "basket"
    NONE = "none"


class CategoryFilter(BaseModel):
    """From which part of the category tree a level recommends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["whole", "same", "up", "main"] = "whole"
    steps: int = Field(default=0, ge=0, le=5)
    # "request": the categorypath of the request; "context": the categories of the context items.
    reference: Literal["request", "context"] = "request"

    def prefix(self, path: str) -> str:
        """The path below which items pass, for one reference path; "" is the whole site."""
        parts = [part for part in path.split("/") if part]
        if self.mode == "whole":
            return ""
        if self.mode == "up":
            parts = parts[: max(0, len(parts) - self.steps)]
        elif self.mode == "main":
            parts = parts[: self.steps]
        return "/".join(parts)


class PlacedModel(BaseModel):
    """A model on a level, with the settings that are local to the scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, max_length=64)
    context: Context = Context.AUTOMATIC
    # "submodels": by the attributes of the request; "segments": by its segments.
    data: Literal["default", "submodels", "segments"] = "default"


class Level(BaseModel):
    """Models that are asked together and contribute an equal share each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[PlacedModel] = Field(min_length=1, max_length=10)
    category: CategoryFilter = CategoryFilter()


class Strategy(BaseModel):
    """Levels from the primary one to the last fallback; the next is asked when items are missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    levels: list[Level] = Field(min_length=1, max_length=MAX_LEVELS)

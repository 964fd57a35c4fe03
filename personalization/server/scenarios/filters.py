"""A scenario's filters: what must never be recommended. They bind inside the scoring loop.

The JSON document of ``Scenario.filters``; engine-protocol.md 6.4 and 6.5.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Filters(BaseModel):
    """Validity and output types always hold; these can be switched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    exclude_context_items: bool = True
    exclude_purchased: bool = False

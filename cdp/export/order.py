"""What one call of a stream command, or one entry of the schedule, asks for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from cdp.written import Kind
from config import sealing
from config.site_access import SiteAccess

PURPOSE = "cdp-stream"


class WrongUse(Exception):
    """The call cannot be meant so; nothing was done."""


class Unconfigured(Exception):
    """The sites file does not say what the call needs; nothing was done."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to send where. ``limit``: so many rows; ``since``: what changed then or later."""

    kind: Kind
    item_type: str
    site: SiteAccess
    account: int
    endpoint: str
    stream_id: str = field(repr=False)
    is_draft: bool
    run_id: uuid.UUID
    chunk_size: int
    limit: int | None = None
    since: datetime | None = None
    without_anonymous: bool = False
    strict: bool = False
    dry_run: bool = False

    @property
    def stream(self) -> str:
        """By which a run knows its stream, whose id is a secret."""
        return sealing.fingerprint(self.stream_id, purpose=PURPOSE)

"""A call as it waits in the queue: a JSON document, sealed, for it names the person in clear.

=========== =====================================================================================
kind        ``event``, ``identify``, ``alias`` or ``consent``
coid, ruid  the ids of the device and of the account, each "" where it is not known
sid         the session
ts          when it happened, microseconds since 1970 in UTC
event_id    the sender's, or one of ours: what is delivered twice is stored once
event       of an event: its name and its parameters (:mod:`cdp.tracking.vocabulary`), as texts
params
nobody      the browser asks not to be followed: the event counts, and is linked to nobody
traits      of ``identify``: attribute -> value
purposes    of ``consent``: purpose -> status
=========== =====================================================================================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from cdp.tracking.models import Message
from config import sealing

PURPOSE = "cdp-tracked"
EVENT, IDENTIFY, ALIAS, CONSENT = "event", "identify", "alias", "consent"


@dataclass(frozen=True, kw_only=True)
class Call:
    kind: str
    ts: int
    event_id: str
    coid: str = ""
    ruid: str = ""
    sid: str = ""
    event: str = ""
    params: dict[str, str] = field(default_factory=dict)
    nobody: bool = False
    traits: dict[str, Any] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)


def sealed(call: Call, *, account: int, customer_id: str, received: int) -> Message:
    """The row, not stored yet."""
    body = sealing.seal(orjson.dumps(asdict(call)), purpose=PURPOSE)
    return Message(account=account, customer_id=customer_id, received=received, body=body)


def opened(row: Message) -> Call:
    """Raises :class:`~config.sealing.Unsealable`."""
    return Call(**orjson.loads(sealing.unseal(row.body, purpose=PURPOSE)))

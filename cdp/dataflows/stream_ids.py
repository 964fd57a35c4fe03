"""The id under which a source delivers into a dataflow: a secret, stored sealed and found by its fingerprint
(reference `cdp.md` 1.5)."""

from __future__ import annotations

import uuid

from cdp.dataflows.models import Dataflow
from cdp.dataflows.states import not_archived
from cdp.profiles.models import Account
from config import sealing

PURPOSE = "cdp-stream"


def stream_id(dataflow: Dataflow) -> str:
    """The id that deliveries name, made at the first look; a secret."""
    if not dataflow.sealed_stream_id:
        not_archived(dataflow, "get a stream id")
        mint(dataflow)
    return sealing.unseal(dataflow.sealed_stream_id, purpose=PURPOSE).decode()


def rotate(dataflow: Dataflow) -> str:
    """A new stream id; the old one is unknown from now on."""
    not_archived(dataflow, "get a stream id")
    return mint(dataflow)


def mint(dataflow: Dataflow) -> str:
    new = str(uuid.uuid4())
    dataflow.sealed_stream_id = sealing.seal(new.encode(), purpose=PURPOSE)
    dataflow.stream_digest = digest_of(new)
    dataflow.save(update_fields=["sealed_stream_id", "stream_digest", "modified_at"])
    return new


def digest_of(stream: str) -> str:
    return sealing.fingerprint(stream.strip().lower(), purpose=PURPOSE)


def by_stream_id(account: Account, stream: str) -> Dataflow | None:
    found = Dataflow.objects.filter(account=account, stream_digest=digest_of(stream))
    return found.exclude(status=Dataflow.Status.ARCHIVED).select_related("account").first()

"""``POST /stream/<account>``: rows of a dataflow, as drafts or for good (reference `cdp.md` 1.5)."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cdp.answers import json, note
from cdp.dataflows import delivery, stream_ids
from cdp.dataflows.delivery import Chunk, Conflict, Gone, Receipt
from cdp.dataflows.models import Dataflow
from cdp.profiles import accounts
from cdp.stream import body as body_module
from cdp.stream import head as head_module
from cdp.stream.head import Head
from cdp.stream.refusal import Refused

logger = logging.getLogger("cdp")

MOST_RUNS_A_MINUTE = 60
RETRY_SECONDS = 60


@csrf_exempt
def stream(request: HttpRequest, account: int) -> HttpResponse:
    """202 once the chunk is stored; see the table of the reference for everything else."""
    began = time.perf_counter()
    try:
        response = taken(request, account)
    except Refused as refusal:
        response = refused(refusal)
    note(logger, request, f"stream: account {account}", response.status_code, began=began)
    response["Cache-Control"] = "no-store"
    return response


def taken(request: HttpRequest, account: int) -> HttpResponse:
    if request.method != "POST":
        raise Refused(405, "method_not_allowed", "Use POST.")
    head = head_module.read(request)
    dataflow = found(account, head)
    body = body_module.read(request)
    chunk = Chunk(
        body=body,
        content_type=head.content_type,
        rows=body_module.count(body, head.content_type),
        is_draft=head.is_draft,
        run=head.run,
        sequence=head.sequence,
        is_final=head.is_final,
    )
    within_limit(dataflow, head)
    try:
        receipt = delivery.take(dataflow, chunk)
    except Conflict as conflict:
        raise Refused(409, "conflict", str(conflict)) from None
    except Gone:
        raise unknown() from None
    return accepted(head, chunk, receipt)


def found(number: int, head: Head) -> Dataflow:
    """The same answer for an account and for a stream that are not there: neither can be guessed at."""
    account = accounts.find(number)
    dataflow = stream_ids.by_stream_id(account, head.stream_id) if account else None
    if dataflow is None:
        raise unknown()
    return dataflow


def unknown() -> Refused:
    return Refused(404, "unknown_stream", "This account has no stream with that id.")


def within_limit(dataflow: Dataflow, head: Head) -> None:
    """Chunks of a run that has begun are never held up."""
    if head.run is not None and dataflow.runs.filter(number=head.run).exists():
        return
    if delivery.recent_runs(dataflow) >= MOST_RUNS_A_MINUTE:
        raise Refused(
            429, "too_many_requests", f"At most {MOST_RUNS_A_MINUTE} runs a minute; send chunks of one run."
        )


def accepted(head: Head, chunk: Chunk, receipt: Receipt) -> HttpResponse:
    response = json(
        {
            "stream_id": head.stream_id,
            "draft": chunk.is_draft,
            "received": chunk.rows,
            "run": str(receipt.run),
            "state": state_of(receipt.state),
            "duplicate": receipt.is_duplicate,
        },
        status=202,
    )
    response["Accept-Encoding"] = "gzip"  # of what comes next: RFC 7694
    return response


def state_of(state: str) -> str:
    """One of the three words of the reference: what happens next to the rows."""
    return state if state in ("sample", "held") else "queued"


def refused(refusal: Refused) -> HttpResponse:
    document: dict[str, Any] = {"error": refusal.code, "detail": str(refusal)}
    if refusal.index is not None:
        document["index"] = refusal.index
    response = json(document, status=refusal.status)
    if refusal.status == 405:
        response["Allow"] = "POST"
    elif refusal.status == 429:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response

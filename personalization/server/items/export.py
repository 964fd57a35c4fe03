"""Importing a complete export, whatever its size.

One file is in memory at a time. Nothing is stored before every file has been read, so that a file that is
missing or broken changes nothing. Then the items are stored in batches, and what the export lacks goes last,
in one transaction: until then readers have everything they had before, and from then on the export alone.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from config.jobs import queue
from personalization.contracts import CONTENTLIST_MEDIA_TYPE, Action
from personalization.server.items import fetch, stage, store
from personalization.server.items.orders import Order, Outcome, Unusable, read_items, store_items
from personalization.server.models import ImportRun

ACCEPT = f"{CONTENTLIST_MEDIA_TYPE}, application/json"
# Of all files of one export together: two million items of 1 KB.
MAX_EXPORT_BYTES = 2 * 1024**3
# How long a removal is remembered against an export that was written before it.
REMOVALS_REMEMBERED = timedelta(days=2)


def import_full(order: Order, job: queue.Run) -> Outcome:
    """Bring in a complete export of one type and language; what it does not hold is removed."""
    outcome = Outcome()
    with stage.opened() as staged:
        read_files(order, job, staged, outcome=outcome)
        if outcome.rejected and not staged.count:
            raise Unusable(f"None of the {outcome.rejected} items could be read. {outcome.reasons[0]}")
        store_staged(order, job, staged, outcome=outcome)
    outcome.removed = store.remove_missing(
        order.run.customer_id,
        item_type=order.run.item_type,
        language=order.run.language,
        moment=order.moment,
    )
    return outcome


def read_files(order: Order, job: queue.Run, staged: stage.Stage, *, outcome: Outcome) -> None:
    """Download and map file by file."""
    presented, total = fetch.for_files(order.credentials), 0
    for number, uri in enumerate(order.uris, start=1):
        body = fetch.answer_body(uri, customer_id=order.run.customer_id, presented=presented, accept=ACCEPT)
        if body is None:
            raise fetch.FetchRefused(f"{uri} is gone; the export cannot be imported without it.")
        total += len(body)
        check_total(total, number=number, files=len(order.uris))
        staged.add(read_items(fetch.parsed(body, uri), order, source=uri, outcome=outcome))
        job.progress(number, total=len(order.uris), message="Downloading files")


def check_total(total: int, *, number: int, files: int) -> None:
    if total > MAX_EXPORT_BYTES:
        raise fetch.FetchRefused(
            f"The first {number} of {files} files hold {total} bytes; the files of one export may hold "
            f"at most {MAX_EXPORT_BYTES} together. Nothing was changed. Export fewer fields of this type."
        )


def store_staged(order: Order, job: queue.Run, staged: stage.Stage, *, outcome: Outcome) -> None:
    removed_since, now, done = removed_after(order.run, order.moment), timezone.now(), 0
    for batch in staged.batches(store.BATCH):
        kept = [row for row in batch if row.item_id not in removed_since]
        store_items(kept, order, outcome=outcome, now=now)
        done += len(batch)
        job.progress(done, total=staged.count, message="Storing items")


def removed_after(run: ImportRun, moment: str) -> set[str]:
    """Items that were removed after the export was written; it must not bring them back."""
    since = timezone.now() - REMOVALS_REMEMBERED
    removals = ImportRun.objects.filter(
        customer_id=run.customer_id,
        action=Action.DELETE.value,
        item_type=run.item_type,
        language__in=[run.language, ""],
        created_at__gte=since,
        transaction__gt=moment,
    )
    return set(removals.values_list("item_id", flat=True))

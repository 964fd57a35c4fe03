"""Taking in what the item API is sent: stored together or not at all, and shown in the import history."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from config.customers.directory import CustomerAccount
from personalization.server.items import store
from personalization.server.items.mapping import Columns
from personalization.server.models import ImportRun

PUSH = "PUSH"


def take(account: CustomerAccount, items: Sequence[tuple[str, Columns]]) -> list[ImportRun]:
    """Store these items, each with its language; returns a run for each type and language.

    One transaction: a reader sees all of them or none, and so does the sender's 202.
    """
    moment, now = store.moment_now(), timezone.now()
    groups: dict[tuple[int, str], list[Columns]] = {}
    for language, columns in items:
        groups.setdefault((columns.item_type, language), []).append(columns)
    runs = []
    with transaction.atomic():
        for (item_type, language), rows in groups.items():
            written = store.upsert(account.customer_id, rows, language=language, moment=moment, now=now)
            runs.append(
                ImportRun.objects.create(
                    customer_id=account.customer_id,
                    transaction=moment,
                    action=PUSH,
                    item_type=item_type,
                    language=language,
                    item_id=rows[0].item_id if len(rows) == 1 else "",
                    imported=written,
                    status=ImportRun.Status.DONE,
                    finished_at=now,
                )
            )
    return runs

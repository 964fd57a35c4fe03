"""Item types that came, changed or went with a new version of the project or of the sites file.

No row of the database changes with them, so nothing would tell an engine (reference `client-protocol.md`
10.2, W-43). The worker compares what is declared with what it knew, and brings the items up to date.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.jobs import queue
from config.jobs.models import OPEN_STATES, Job, State
from content.items import announce as news
from content.items.rebuild import rebuild
from content.items.record import DeclaredType, Item
from content.items.scoped import entries
from content.items.types import ItemType, item_types

logger = logging.getLogger("personalization")

JOB = "rebuild_items"
BATCH = 500
# The row that says that this installation has been looked at, so that its types may all go or come.
LOOKED = ""
# A rebuilding that failed is tried again after this.
REST = timedelta(hours=1)


def fingerprint(kind: ItemType) -> str:
    """What the items of a type are made of: its number, model and fields, and what entries say of them."""
    fields = None if kind.fields is None else list(kind.fields.items())
    own = [field.name for field in kind.model._meta.get_fields()] if fields is None else fields
    said = [
        (site.name, site.author_id, site.field_identifiers.get("author"), site.field_relations)
        for site in entries()
    ]
    document = [kind.id, kind.model._meta.label, own, kind.author, said]
    return hashlib.sha256(orjson.dumps(document)).hexdigest()


def look() -> list[str]:
    """Take the items of types that are gone out of sight, and have those of changed types rebuilt by a job.

    Returns the changed types. The first look of an installation only remembers.
    """
    try:
        now = {name: fingerprint(kind) for name, kind in item_types().items()}
    except ImproperlyConfigured:  # the sites file is broken; `doctor` says so
        return []
    before = dict(DeclaredType.objects.values_list("identifier", "fingerprint"))
    remember({LOOKED: ""})
    if not before:
        remember(now)
        return []
    before.pop(LOOKED, None)
    for name in before.keys() - now.keys():
        withdraw(name)
    changed = sorted(name for name, print_ in now.items() if before.get(name) != print_)
    if changed:
        have_rebuilt({name: now[name] for name in changed})
    return changed


def have_rebuilt(prints: dict[str, str]) -> None:
    """Enqueue the rebuilding, unless it waits, runs or has failed within :data:`REST`."""
    key = hashlib.sha256(orjson.dumps(prints, option=orjson.OPT_SORT_KEYS)).hexdigest()
    tried = Job.objects.filter(kind=JOB, key=key)
    recent = Q(state__in=OPEN_STATES) | Q(finished_at__gt=timezone.now() - REST)
    if tried.filter(recent).exclude(state=State.DONE).exists():
        return
    logger.info("The item types %s have changed; their items are rebuilt.", ", ".join(prints))
    queue.enqueue(JOB, {"types": prints}, key=key)


def withdraw(identifier: str) -> int:
    """Hide every item of a type that nobody declares any more, and tell of it; return how many."""
    count = after = 0
    rows = Item.objects.filter(item_type=identifier, is_visible=True).defer("payload").order_by("pk")
    while batch := list(rows.filter(pk__gt=after)[:BATCH]):
        after = batch[-1].pk
        with transaction.atomic():
            pks = [row.pk for row in batch]
            Item.objects.filter(pk__in=pks).update(is_visible=False, updated_at=timezone.now())
            news.put(changed=[], removed=[row.ref() for row in batch])
        count += len(batch)
    DeclaredType.objects.filter(identifier=identifier).delete()
    logger.info("The item type %s is gone; %d items were taken out of sight.", identifier, count)
    return count


@queue.job(JOB)
def rebuild_types(run: queue.Run) -> dict[str, Any]:
    """Write the items of changed types anew. Safe to run twice."""
    prints: dict[str, str] = run.payload["types"]
    declared = [name for name in prints if name in item_types()]
    outcome = rebuild(item_types=declared, progress=lambda done, total: run.progress(done, total=total))
    remember({name: prints[name] for name in declared})
    return {"written": outcome.written, "removed": outcome.removed}


def remember(prints: dict[str, str]) -> None:
    for name, print_ in prints.items():
        DeclaredType.objects.update_or_create(identifier=name, defaults={"fingerprint": print_})

"""Content notifications: news of the read model become messages to the engine.

A message is stored per site of the sites file, item and language, and the newest replaces one that still
waits; the worker delivers. The editor's request never talks to the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver

from config import site_access
from config.jobs import outbox
from config.site_access import SiteAccess
from content.signals import ItemRef, item_changed, item_removed
from personalization import contracts
from personalization.client import notify

logger = logging.getLogger("personalization")


@receiver(item_changed, dispatch_uid="lodestar-connector-changed")
def announce_changes(refs: Iterable[ItemRef], **_kwargs: Any) -> None:
    queue_all(refs, action=contracts.Action.UPDATE)


@receiver(item_removed, dispatch_uid="lodestar-connector-removed")
def announce_removals(refs: Iterable[ItemRef], **_kwargs: Any) -> None:
    queue_all(refs, action=contracts.Action.DELETE)


def queue_all(refs: Iterable[ItemRef], *, action: contracts.Action) -> None:
    """Store a message for every site that shows the items."""
    try:
        sites = [(site, site_access.wagtail_site_id(site)) for site in site_access.configured_sites()]
    except ImproperlyConfigured as error:
        # The editor's page is published; only the engine does not hear of it.
        logger.error("The engine is not told of changed items: %s", error)
        return
    items: dict[tuple[int, int, int], list[ItemRef]] = {}
    for ref in refs:
        items.setdefault((ref.site_id, ref.item_type_id, ref.content_id), []).append(ref)
    for languages in items.values():
        for site, site_id in sites:
            told = [ref for ref in languages if site_id == ref.site_id and announces(site, ref)]
            if told:
                queue(told, site=site, action=action)


def announces(site: SiteAccess, ref: ItemRef) -> bool:
    return ref.item_type in site.included_item_types and site.serves(ref.language)


def queue(languages: list[ItemRef], *, site: SiteAccess, action: contracts.Action) -> None:
    """Store one message for an item, with an event for each of its languages (reference 3.1)."""
    item = languages[0]
    outbox.put(
        notify.KIND,
        key=f"{site.name}:{item.item_type_id}:{item.content_id}",
        payload={
            "site": site.name,
            "item_type_id": item.item_type_id,
            "content_id": item.content_id,
            "remote_id": item.remote_id,
            "languages": {ref.language: str(action) for ref in languages},
        },
        customer_id=str(site.customer_id),
    )

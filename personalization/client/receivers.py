"""Content notifications: news of the read model become messages to the engine.

A message is stored per site of the sites file, item and language, and the newest replaces one that still
waits; the worker delivers. The editor's request never talks to the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver

from config import site_access
from config.jobs import outbox
from config.site_access import SiteAccess
from content.items.types import item_types
from content.signals import ItemRef, NotNow, item_changed, item_removed
from personalization import contracts
from personalization.client import notify


@receiver(item_changed, dispatch_uid="lodestar-connector-changed")
def announce_changes(refs: Iterable[ItemRef], **_kwargs: Any) -> None:
    queue_all(refs, action=contracts.Action.UPDATE)


@receiver(item_removed, dispatch_uid="lodestar-connector-removed")
def announce_removals(refs: Iterable[ItemRef], **_kwargs: Any) -> None:
    queue_all(refs, action=contracts.Action.DELETE)


def queue_all(refs: Iterable[ItemRef], *, action: contracts.Action) -> None:
    """Store a message for every site that shows the items.

    Raises :class:`NotNow` while the sites file is broken: the page is published, and the engine hears of it
    when the file is mended.
    """
    try:
        roots = site_access.wagtail_sites()
        sites = [(site, roots.get(site.root)) for site in site_access.configured_sites()]
    except ImproperlyConfigured as error:
        raise NotNow(f"the engine cannot be told of changed items. {error}") from error
    removed = action is contracts.Action.DELETE
    items: dict[tuple[int, int, int], list[ItemRef]] = {}
    for ref in refs:
        items.setdefault((ref.site_id, ref.item_type_id, ref.content_id), []).append(ref)
    known = set(roots.values())

    def shows(site_id: int | None, ref: ItemRef) -> bool:
        """A Wagtail site that was deleted may have been that of any entry whose root names none now."""
        return site_id == ref.site_id or (site_id is None and removed and ref.site_id not in known)

    for languages in items.values():
        for site, site_id in sites:
            told = [ref for ref in languages if announces(site, ref, gone=removed) and shows(site_id, ref)]
            if told:
                queue(told, site=site, action=action)


def announces(site: SiteAccess, ref: ItemRef, *, gone: bool) -> bool:
    """Whether a site tells of an item; an item that is ``gone``, of a type that code no longer declares, too.

    Such a type may have left the sites file with the code, and the engine would keep its items.
    """
    included = ref.item_type in site.included_item_types or (gone and ref.item_type not in item_types())
    return included and site.serves(ref.language)


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

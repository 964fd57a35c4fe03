"""What the sites file says of the items of one site and language: authors and fields of related objects.

Reference `client-protocol.md` 1.2 and 5.2. Each entry decides for the site and the languages that it serves
(W-20); where several serve both, the first of the file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from wagtail.models import Page

from config import site_access
from config.site_access import SiteAccess
from content.items.types import ItemType, item_types
from content.items.values import value_of

logger = logging.getLogger("personalization")

Scope = tuple[int, str]  # Wagtail site, language in the eng-GB form


class Scopes:
    """The entries of the sites file that decide for items; read once for a batch."""

    def __init__(self) -> None:
        self._known: dict[Scope, SiteAccess | None] = {}
        self._users: dict[int, Any] = {}
        try:
            self._sites = [(site, site_access.wagtail_site_id(site)) for site in entries()]
        except ImproperlyConfigured as error:
            # The items are what they are without it; `doctor` names the fault as well.
            logger.error("Items are built without the sites file: %s", error)
            self._sites = []

    def of(self, site_id: int, language: str) -> SiteAccess | None:
        scope = (site_id, language)
        if scope not in self._known:
            serving = [one for one, its_id in self._sites if its_id == site_id and one.serves(language)]
            self._known[scope] = serving[0] if serving else None
        return self._known[scope]

    def user(self, pk: int) -> Any:
        """The user with this number, or None."""
        if pk not in self._users:
            self._users[pk] = get_user_model()._default_manager.filter(pk=pk).first()
        return self._users[pk]


def entries() -> Iterable[SiteAccess]:
    """The entries that have anything to say of items; usually there is none, and nothing more is asked."""
    sites = site_access.configured_sites()
    says = [
        bool(site.field_relations or site.author_id or site.field_identifiers.get("author")) for site in sites
    ]
    return sites if any(says) else ()


def author_of(item: Any, kind: ItemType, *, site: SiteAccess | None, scopes: Scopes) -> str:
    """The author's name: the field of the type, or the one that the entry names, else the owner.

    Items without both have the user ``author_id`` of the entry, "" where none is given. What cannot be read
    counts as not written, so that one faulty author leaves the others of the batch alone (W-55).
    """
    named = site.field_identifiers.get("author", {}).get(kind.identifier, "") if site else ""
    written = text_of(item, named or kind.author)
    owner = getattr(item, "owner", None)
    if not written and owner is None and site and site.author_id:
        owner = scopes.user(site.author_id)
    return written or name_of(owner)


def text_of(item: Any, attribute: str) -> str:
    if not attribute:
        return ""
    try:
        return str(getattr(item, attribute, "") or "")
    except Exception as error:  # noqa: BLE001 - a model's own code may fail in any way
        logger.warning("Unable to read the author of %s %s: %s", type(item).__name__, item.pk, error)
        return ""


def name_of(user: Any) -> str:
    return str(user.get_full_name() or user.get_username()) if user else ""


def related_value(item: Any, attribute: str, *, source: str, relations: Mapping[str, str]) -> Any:
    """The value of a field, taken from the related object where ``field.relations`` says so.

    ``source``: the field as ``type.field``; ``relations`` maps such names, as they are exported.
    An object of another type, or none, is null (reference 5.2).
    """
    if source not in relations:
        return value_of(item, attribute)
    target, _, field = relations[source].partition(".")
    related = attrgetter(attribute)(item)
    if hasattr(related, "all"):
        found = [read(one, target, field, source=source, item=item) for one in related.all()]
        return [value for value in found if value is not None]
    return None if related is None else read(related, target, field, source=source, item=item)


def read(related: Model, target: str, field: str, *, source: str, item: Any) -> Any:
    specific = getattr(related, "specific", related)
    kind = item_types().get(target)
    if kind is None or not isinstance(specific, kind.model):
        logger.warning(
            "Invalid relation: field %r (object: %s) has improper relation to object %r (object: %s) but "
            "%r expected.",
            source.replace(".", ":"),
            item.pk,
            type(specific).__name__,
            specific.pk,
            f"{target}:{field}",
        )
        return None
    if isinstance(specific, Page) and not Page.objects.live().public().filter(pk=specific.pk).exists():
        return None
    return value_of(specific, (kind.fields or {}).get(field, field))

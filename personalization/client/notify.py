"""Delivery of content notifications. Reference `client-protocol.md` 3.4 and 3.5."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q

from config import site_access
from config.jobs import outbox
from config.jobs.models import Outbox
from config.jobs.queue import GiveUp
from config.site_access import SiteAccess
from personalization import contracts
from personalization.client import gateway, tokens
from personalization.client.errors import EngineError

KIND = "content_notification"
MOST = 100  # items in one request; engines take thousands, and one that is lost costs the others a try
# Statuses that may be the fault of one event; others are the fault of all, a wrong license key for instance.
OF_ONE = (400, 409, 413, 422)


def merge(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """One message for both: the newest news of each language of the item."""
    return newer | {"languages": languages_of(older) | languages_of(newer)}


def remains(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any] | None:
    """The news of languages of which the newer message says nothing."""
    told = languages_of(newer)
    left = {language: action for language, action in languages_of(older).items() if language not in told}
    return older | {"languages": left} if left else None


def languages_of(payload: dict[str, Any]) -> dict[str, str]:
    """Language -> UPDATE or DELETE; messages of earlier versions had one of each."""
    found: dict[str, str] = payload.get("languages") or {payload["language"]: payload["action"]}
    return found


def of_the_same_site(message: Outbox) -> Q:
    return Q(payload__site=message.payload["site"], customer_id=message.customer_id)


@outbox.delivery_of_many(KIND, most=MOST, together=of_the_same_site, merge=merge, remains=remains)
def deliver(messages: list[Outbox]) -> int:
    """Post an event for each item and language, with a token made for them; return the engine's status."""
    name = messages[0].payload["site"]
    try:
        site = site_access.site_named(name)
    except site_access.UnknownSite as error:
        raise GiveUp(f"The site of this message is gone: {error}") from error
    token = tokens.mint(site.customer_id)
    document: contracts.NotificationDocument = {
        "transaction": None,
        "events": [
            item_event(message.payload, action=action, language=language, site=site, token=token)
            for message in messages
            for language, action in languages_of(message.payload).items()
        ],
    }
    try:
        return gateway.notify(
            document,
            url=gateway.notification_url(site, customer_id=site.customer_id),
            customer_id=site.customer_id,
            license_key=site.license_key,
        )
    except EngineError as error:
        if error.retry:
            raise later(error) from error
        if error.status in OF_ONE:
            raise outbox.OneByOne(str(error)) from error
        raise GiveUp(str(error)) from error


def later(error: EngineError) -> outbox.RetryLater:
    """Another try of a delivery that the engine could not take now."""
    return outbox.RetryLater(error.retry_after or None, reason=str(error), status=error.status)


def item_event(
    payload: dict[str, Any], *, action: str, language: str, site: SiteAccess, token: str
) -> contracts.ItemEventDocument:
    """The event in the key order of reference 3.4; the same id in ``uri`` and ``itemId`` (W-18)."""
    item_id: int | str = payload["remote_id"] if site.use_remote_id else payload["content_id"]
    return {
        "action": action,
        "format": "EZ",
        "uri": item_address(item_id, site=site, language=language),
        "itemId": item_id,
        "contentTypeId": payload["item_type_id"],
        "lang": language,
        "credentials": credentials_of(site, token=token),
    }


def credentials_of(site: SiteAccess, *, token: str) -> dict[str, str | None]:
    """What opens the item. Only the method ``user`` sends the login that the operator wrote (W-48).

    Otherwise the token of one day is the password as well, for engines that know no bearer tokens.
    """
    if site.export_method == "user":
        return {"login": site.export_login, "password": site.export_password, "token": token}
    if site.export_method == "none":
        return {"login": None, "password": None, "token": token}
    return {"login": tokens.LOGIN, "password": token, "token": token}


def item_address(item_id: int | str, *, site: SiteAccess, language: str) -> str:
    """Where the engine fetches the item."""
    if isinstance(item_id, str):
        path = contracts.remote_content_path(item_id)
    else:
        path = contracts.content_path(item_id)
    return f"{site.host_uri.rstrip('/')}{path}?{urlencode({'lang': language})}"

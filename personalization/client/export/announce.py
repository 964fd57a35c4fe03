"""The one notification of a full export, and its repetition while the engine is away."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from django.utils import translation

from config.jobs import outbox
from config.jobs.models import OPEN_STATES, Outbox
from config.jobs.queue import GiveUp
from content.items.types import item_types
from personalization import contracts
from personalization.client import gateway, tokens
from personalization.client.credentials import Target, target_of
from personalization.client.errors import EngineError, ExportFailed, WrongUse
from personalization.client.export import files, htpasswd
from personalization.client.models import AccessToken, ExportRun
from personalization.client.notify import later

KIND = "export_notification"
ALPHABET = string.digits + string.ascii_letters


def tell_engine(run: ExportRun, *, target: Target) -> None:
    """Announce the files and end the run.

    Raises :class:`EngineError` after storing the failure; where trying again can help the notification
    waits in the outbox, and the run becomes done when the engine takes it.
    """
    try:
        status = announce(run, target=target)
    except EngineError as error:
        sentence = str(error)
        if error.retry:
            outbox.put(KIND, key=key_of(run), payload={"run": run.pk}, customer_id=run.customer_id)
            sentence += " The files are complete; the notification is sent again until the engine takes it."
        run.end(ExportRun.Phase.FAILED, error=sentence, status=error.status)
        raise EngineError(sentence, status=error.status, retry=error.retry) from error
    run.end(ExportRun.Phase.DONE, status=status)


@outbox.delivery(KIND)
def deliver(message: Outbox) -> int:
    """Send the notification of a complete export again."""
    run = ExportRun.objects.get(pk=message.payload["run"])
    if run.phase == ExportRun.Phase.DONE or superseded(run):
        return 0
    try:
        status = announce(run, target=target_of(run))
    except WrongUse as error:
        raise GiveUp(str(error)) from error
    except ExportFailed as error:  # the disk is full, for the moment
        raise outbox.RetryLater(reason=str(error)) from error
    except EngineError as error:
        if error.retry:
            raise later(error) from error
        run.end(ExportRun.Phase.FAILED, error=str(error), status=error.status)
        raise GiveUp(str(error)) from error
    run.end(ExportRun.Phase.DONE, status=status)
    return status


def key_of(run: ExportRun) -> str:
    return f"run-{run.pk}"


def is_announced_again(run: ExportRun) -> bool:
    """Whether its notification waits for another try."""
    return Outbox.objects.filter(kind=KIND, key=key_of(run), state__in=OPEN_STATES).exists()


def superseded(run: ExportRun) -> bool:
    """Whether a newer export of the customer exists; announcing an older one after it would undo it."""
    return ExportRun.objects.filter(customer_id=run.customer_id, pk__gt=run.pk).exists()


def announce(run: ExportRun, *, target: Target) -> int:
    """Post the notification with fresh credentials; return the engine's status."""
    if not run.transaction:
        run.transaction = contracts.new_transaction()
    document: contracts.NotificationDocument = {
        "transaction": run.transaction,
        "events": full_events(run, given=give_access(run, target=target)),
    }
    url = run.options["web_hook"] or gateway.notification_url(target.main, customer_id=run.customer_id)
    return gateway.notify(document, url=url, customer_id=run.customer_id, license_key=target.license_key)


def give_access(run: ExportRun, *, target: Target) -> dict[str, str | None]:
    """Make the login of the run and a token, keep their digests, return both in clear.

    Made for each attempt, because nothing that is stored could be sent a second time.
    """
    site = target.main
    login: str | None
    password: str | None
    if site.export_method == "basic":
        login, password = random_text(10), random_text(30)
        htpasswd.write(files.absolute(run.folder), login=login, password=password)
    elif site.export_method == "user":
        login, password = site.export_login, site.export_password
    else:
        login = password = None
    run.login = login or ""
    run.password_hash = password_digest(password) if password and site.export_method == "basic" else ""
    run.save(update_fields=["login", "password_hash", "transaction"])
    token = tokens.mint(run.customer_id, identifier=AccessToken.EXPORT)
    return {"login": login, "password": password, "token": token}


def random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def password_digest(password: str) -> str:
    """SHA-256 is enough: 30 random characters cannot be guessed, and hundreds of files are fetched."""
    return sha256(password.encode()).hexdigest()


def full_events(run: ExportRun, *, given: dict[str, str | None]) -> list[contracts.FullEventDocument]:
    """One event per type and language, in the order of the files (reference 2.10)."""
    manifest = orjson.loads((files.absolute(run.folder) / files.MANIFEST).read_bytes())
    uris: dict[tuple[str, str], list[str]] = {}
    for entry in manifest["files"]:
        uris.setdefault((entry["type"], entry["language"]), []).append(file_url(run, entry))
    return [
        {
            "action": str(contracts.Action.FULL),
            "format": "EZ",
            "contentTypeId": item_types()[identifier].id,
            "contentTypeName": type_name(identifier, language),
            "lang": language,
            "uri": addresses,
            "credentials": given,
        }
        for (identifier, language), addresses in uris.items()
    ]


def file_url(run: ExportRun, entry: Mapping[str, Any]) -> str:
    host: str = run.options["host"]
    return host + contracts.export_download_path(f"{run.folder}/{entry['name']}")


def type_name(identifier: str, language: str) -> str:
    """The type's name in the language of the event."""
    try:
        code = contracts.from_protocol_language(language)
    except contracts.UnknownLanguage:
        code = "en"
    with translation.override(code):
        return item_types()[identifier].name

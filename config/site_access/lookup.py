"""Finding entries of the sites file."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Protocol

from django.apps import apps
from django.conf import settings
from django.db import connection

from config.site_access.load import SitesFile, load
from config.site_access.record import SiteAccess, SitesFileError, UnknownSite
from config.site_access.scopes import did_you_mean

logger = logging.getLogger("personalization")

STAT_SECONDS = 1.0


class Snapshot:
    """The sites file as last read. Shared by all threads of the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._file: SitesFile | None = None
        self._signature: tuple[object, ...] = ()
        self._looked_at = -STAT_SECONDS

    def get(self) -> SitesFile:
        known = self._file
        path = Path(settings.LODESTAR_SITES_FILE)
        recent = time.monotonic() - self._looked_at < STAT_SECONDS
        if known and recent and self._signature[:2] == (path, own_addresses()):
            return known
        with self._lock:
            return self._checked(path)

    def reload(self) -> SitesFile:
        with self._lock:
            return self._read(Path(settings.LODESTAR_SITES_FILE), self._sign())

    def _checked(self, path: Path) -> SitesFile:
        signature = self._sign()
        self._looked_at = time.monotonic()
        if self._file and signature == self._signature:
            return self._file
        if self._file is None or self._file.path != path:
            return self._read(path, signature)
        try:
            return self._read(path, signature)
        except SitesFileError as error:
            # First this, because the log asks for the sites' secrets to leave them out.
            self._signature = signature
            logger.error("The changed sites file is not used, the last good one stays in force: %s", error)
            return self._file

    def _read(self, path: Path, signature: tuple[object, ...]) -> SitesFile:
        self._file = load(path)
        self._signature = signature
        self._looked_at = time.monotonic()
        return self._file

    def _sign(self) -> tuple[object, ...]:
        """What a read depends on: the file, and the port that own addresses follow."""
        path = Path(settings.LODESTAR_SITES_FILE)
        own = own_addresses()
        try:
            stat = path.stat()
        except OSError:
            return (path, own)
        return (path, own, stat.st_mtime_ns, stat.st_size, stat.st_ino)


def own_addresses() -> tuple[object, ...]:
    return (settings.SERVED_PORT, settings.EVENT_PORT, settings.WAGTAILADMIN_BASE_URL)


_snapshot = Snapshot()


def current_file() -> SitesFile:
    """The sites file in force; raises :class:`SitesFileError` when there never was a good one."""
    return _snapshot.get()


def reload() -> None:
    """Read the file now; raises :class:`SitesFileError` and keeps the last good one on error."""
    _snapshot.reload()


def configured_sites() -> tuple[SiteAccess, ...]:
    """Every site of the sites file that has a customer id and a license key, in file order."""
    return current_file().sites


def site_named(name: str) -> SiteAccess:
    """The entry called ``name``; raises :class:`UnknownSite` with "did you mean"."""
    file = current_file()
    for site in file.sites:
        if site.name == name:
            return site
    if name in file.without_credentials:
        raise UnknownSite(
            f"The site {name!r} has no credentials in {file.path}: "
            "authentication.customer_id and authentication.license_key must both be set."
        )
    hint = did_you_mean(name, [site.name for site in file.sites])
    raise UnknownSite(f"No site is called {name!r} in {file.path}.{hint}")


def sites_of_customer(customer_id: int | str) -> tuple[SiteAccess, ...]:
    """The entries of a customer in file order; raises :class:`UnknownSite` when there is none."""
    file = current_file()
    found = tuple(site for site in file.sites if str(site.customer_id) == str(customer_id))
    if not found:
        known = ", ".join(dict.fromkeys(str(site.customer_id) for site in file.sites)) or "none"
        raise UnknownSite(
            f"No site of {file.path} has the customer id {str(customer_id)[:80]!r}. Known are: {known}."
        )
    return found


class WagtailSite(Protocol):
    """What of a Wagtail site's row the sites file can refer to."""

    pk: int
    hostname: str
    port: int
    is_default_site: bool


def for_request_language(served: WagtailSite, language: str) -> SiteAccess | None:
    """The entry that serves this Wagtail site in ``language`` (eng-GB form), or None.

    An entry that names the language goes before one that serves every language.
    """
    serving = [site for site in configured_sites() if site.serves(language)]
    serving.sort(key=lambda site: not site.languages)
    return next((site for site in serving if means(site.root, served)), None)


def means(root: str, site: WagtailSite) -> bool:
    """Whether ``root`` names this site; asks the database only for a host name without a port.

    Several sites may share that one, and every page asks.
    """
    if root == site.hostname:
        return wagtail_sites().get(root) == site.pk
    if not root:
        return site.is_default_site
    return root in (str(site.pk), f"{site.hostname}:{site.port}")


def wagtail_site_id(site: SiteAccess) -> int | None:
    """The Wagtail site whose items ``site`` exports; None when its root names no such site."""
    return wagtail_sites().get(site.root)


def wagtail_sites() -> dict[str, int]:
    """Every way to name a Wagtail site in ``root`` -> its id; one query."""
    names: dict[str, int] = {}
    # By name, for this layer knows no other application.
    table = apps.get_model("wagtailcore", "Site")._meta.db_table
    with connection.cursor() as cursor:  # every request asks: 10 microseconds, through the ORM 130
        cursor.execute(f"SELECT id, hostname, port, is_default_site FROM {table} ORDER BY id DESC")  # noqa: S608
        rows = cursor.fetchall()
    for pk, hostname, port, is_default in rows:
        names |= {str(pk): pk, hostname: pk, f"{hostname}:{port}": pk}
        if is_default:
            names[""] = pk
    return names

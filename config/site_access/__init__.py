"""Which sites this installation serves, as whom and with what: the sites file, typed and validated.

The file is read again when it changes. A file that breaks while the installation runs is reported
once and the last good one stays in force; a broken file at the start is an error.
"""

from __future__ import annotations

from config.site_access.lookup import (
    configured_sites,
    current_file,
    for_request_language,
    reload,
    site_named,
    sites_of_customer,
    wagtail_site_id,
    wagtail_sites,
)
from config.site_access.record import EventGate, SiteAccess, SitesFileError, UnknownSite

__all__ = [
    "EventGate",
    "SiteAccess",
    "SitesFileError",
    "UnknownSite",
    "configured_sites",
    "current_file",
    "for_request_language",
    "reload",
    "site_named",
    "sites_of_customer",
    "wagtail_site_id",
    "wagtail_sites",
]

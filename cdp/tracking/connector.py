"""How the pages of a site track for the customer data platform: ``connector_raptor`` of the sites file.

Per site ``enabled``, ``customer_id`` (the account; ``cdp.account_number`` where it is left out),
``tracking_type`` and more; globally ``strict_exceptions`` and ``hybrid_tracking_proxy_path`` (reference
`cdp.md` 6.2). What is wrong is a fault for `doctor`; that site tracks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cdp import configuration
from config import site_access
from config.site_access.load import SitesFile

ROOT = "connector_raptor"
HYBRID = "/raptor/track"
DAYS = 90  # of the visitor cookie, as the tracker and Django write it


class Connector(BaseModel):
    """The part of one site. The keys of the vendor's recommendations are taken and not used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    customer_id: int | None = Field(default=None, ge=1, lt=10**9)
    tracking_type: Literal["client", "server", "hybrid"] = "client"
    recommendations_api_key: str = Field(default="", repr=False)
    recommendations_api_uri: str = ""
    cookie_id_lifetime_days: int = Field(default=DAYS, ge=1, le=3650)


@dataclass(frozen=True, kw_only=True)
class Connectors:
    """``sites`` by entry of the sites file, each with its account; ``faults``: sentences for `doctor`."""

    sites: dict[str, Connector] = field(default_factory=dict)
    strict: bool = False
    faults: tuple[str, ...] = ()


_known: tuple[SitesFile, Connectors] | None = None


def current() -> Connectors:
    """The connectors in force; none while there is no sites file."""
    global _known  # noqa: PLW0603 - read again when the file is another
    try:
        file = site_access.current_file()
    except ImproperlyConfigured:
        return Connectors(strict=settings.DEBUG)
    if _known is None or _known[0] is not file:
        _known = file, read(file)
    return _known[1]


def read(file: SitesFile) -> Connectors:
    sites: dict[str, Connector] = {}
    faults: list[str] = []
    for name, written in file.connectors.items():
        try:
            found = Connector.model_validate(written)
        except ValidationError as fault:
            faults.append(sentence(name, fault))
            continue
        account = found.customer_id or account_of(name)
        if found.enabled and account is None:
            faults.append(
                f"{ROOT} of site {name!r}: customer_id must be the number of an account; it is missing,"
                " and so is cdp.account_number."
            )
        elif found.enabled:
            sites[name] = found.model_copy(update={"customer_id": account})
    strict, wrong = globally(file.cdp.get(ROOT))
    return Connectors(sites=sites, strict=strict, faults=(*faults, *wrong))


def account_of(name: str) -> int | None:
    site = configuration.current().sites.get(name)
    return site.account_number if site else None


def globally(written: Any) -> tuple[bool, list[str]]:
    """Whether tags raise what is wrong with them, and what is wrong with the global keys."""
    values = written if isinstance(written, dict) else {}
    path, strict = values.get("hybrid_tracking_proxy_path", HYBRID), values.get("strict_exceptions")
    faults = []
    if path != HYBRID:
        faults.append(f"{ROOT}.hybrid_tracking_proxy_path must be {HYBRID}; got {str(path)[:80]!r}.")
    if strict is not None and not isinstance(strict, bool):
        faults.append(f"{ROOT}.strict_exceptions must be true or false; got {str(strict)[:80]!r}.")
    return (strict if isinstance(strict, bool) else settings.DEBUG), faults


def sentence(name: str, error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in fault["loc"])
    return f"{ROOT}.{path} of site {name!r}: {fault['msg']}."

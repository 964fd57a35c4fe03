"""What the sites file says of the customer data platform (reference `cdp.md` 1.2, 4.2, 5.1).

Per site ``cdp`` with the activations that may fill segments, and ``bulk_async_threshold`` below one of the
roots ``cdp`` and ``ibexa_cdp``. What is wrong is a fault for `doctor`; the rest of it stays in force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from config import site_access
from config.site_access.load import SitesFile
from config.site_access.placeholders import BadPlaceholder, resolve, walked

THRESHOLD = 100


class Activation(BaseModel):
    """Who may fill which segment group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1, max_length=255)
    client_secret: str = Field(min_length=1, max_length=255, repr=False)
    segment_group_identifier: str = Field(min_length=1, max_length=64)


class SiteCdp(BaseModel):
    """The part of one site. Its streams and its membership credentials are read by what uses them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    account_number: int | None = Field(default=None, ge=1, lt=10**9)
    activations: tuple[Activation, ...] = ()

    @field_validator("activations", mode="before")
    @classmethod
    def one_or_several(cls, value: Any) -> Any:
        """Older releases had one mapping; nothing is none."""
        return [value] if isinstance(value, dict) else (value or [])


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """``sites`` by entry of the sites file; ``activations`` by client id; ``accounts``: their number -> the
    customers of their sites. ``faults``: sentences for `doctor`."""

    sites: dict[str, SiteCdp] = field(default_factory=dict)
    activations: dict[str, Activation] = field(default_factory=dict)
    accounts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    threshold: int = THRESHOLD
    faults: tuple[str, ...] = ()


_known: tuple[SitesFile, Configuration] | None = None


def current() -> Configuration:
    """The configuration in force; an empty one while there is no sites file."""
    global _known  # noqa: PLW0603 - read again when the file is another
    try:
        file = site_access.current_file()
    except ImproperlyConfigured:
        return Configuration()
    if _known is None or _known[0] is not file:
        _known = file, read(file)
    return _known[1]


def read(file: SitesFile) -> Configuration:
    sites: dict[str, SiteCdp] = {}
    activations: dict[str, Activation] = {}
    faults: list[str] = []
    for name, written in file.cdp_of_sites.items():
        try:
            site = SiteCdp.model_validate(walked(written, lambda value, _path: resolve(value)))
        except BadPlaceholder as fault:
            faults.append(f"cdp of site {name!r}: {fault}.")
            continue
        except ValidationError as fault:
            faults.append(sentence(name, fault))
            continue
        sites[name] = site
        for one in site.activations:
            known = activations.setdefault(one.client_id, one)
            if known != one:
                faults.append(
                    f"cdp of site {name!r}: another activation has the client id {one.client_id!r}."
                )
    threshold, wrong = threshold_of(file)
    return Configuration(
        sites=sites,
        activations=activations,
        accounts=accounts_of(file, sites),
        threshold=threshold,
        faults=(*faults, *wrong),
    )


def accounts_of(file: SitesFile, sites: dict[str, SiteCdp]) -> dict[int, tuple[str, ...]]:
    """Account -> the customers of its sites, in file order; a site without an engine has none."""
    customers = {site.name: str(site.customer_id) for site in file.sites}
    found: dict[int, list[str]] = {}
    for name, site in sites.items():
        if site.account_number is not None:
            of = found.setdefault(site.account_number, [])
            of.extend(one for one in [customers.get(name)] if one and one not in of)
    return {number: tuple(of) for number, of in found.items()}


def threshold_of(file: SitesFile) -> tuple[int, list[str]]:
    for root, values in file.cdp.items():
        value = values.get("bulk_async_threshold") if isinstance(values, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value, []
        if value is not None:
            return THRESHOLD, [
                f"{root}.bulk_async_threshold must be a whole number from 1 on; got {str(value)[:80]!r}, so"
                f" {THRESHOLD} is used."
            ]
    return THRESHOLD, []


def sentence(name: str, error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in fault["loc"])
    return f"cdp.{path} of site {name!r}: {fault['msg']}."


def filled_groups() -> set[str]:
    """The identifiers of the segment groups that activations fill."""
    return {one.segment_group_identifier for one in current().activations.values()}

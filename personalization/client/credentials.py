"""Which customers an export is for, and with which key. Reference `client-protocol.md` 2.3."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from config import sealing, site_access
from config.site_access import SiteAccess
from personalization.client.errors import WrongUse
from personalization.client.models import ExportRun

PURPOSE = "lodestar-connector"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One customer and the sites whose content it gets, in file order."""

    customer_id: int
    license_key: str = field(repr=False)
    sites: tuple[SiteAccess, ...]

    @property
    def main(self) -> SiteAccess:
        """The site whose endpoints and host address count."""
        return self.sites[0]


def targets(*, customer_id: str = "", license_key: str = "", site: str = "") -> list[Target]:
    """Complete what was given from the sites file; one target per customer.

    With nothing given every customer of the sites file is meant. Raises :class:`WrongUse` when a part
    is missing that cannot be filled in without guessing.
    """
    configured = site_access.configured_sites()
    chosen = named(site) if site else None
    given = {"customer-id": customer_id, "license-key": license_key, "siteaccess": site}
    missing = [name for name, value in given.items() if not value]
    if not missing and chosen:
        refuse_swapped_key(customer_id, license_key, configured)
        return [Target(customer_id=whole_number(customer_id), license_key=license_key, sites=(chosen,))]
    customers = by_customer(configured)
    if len(customers) == 1 and not customer_id and not license_key:
        return customers if chosen is None else [replace(customers[0], sites=(chosen,))]
    if len(missing) == len(given) and configured:
        return customers
    raise WrongUse(f"Required parameters: {', '.join(missing)} are missing. {remedy(configured)}")


def remedy(configured: tuple[SiteAccess, ...]) -> str:
    """What to give instead, after the reference's own sentence."""
    if not configured:
        return "No site of the sites file has credentials; give it a customer id and a license key."
    names = ", ".join(site.name for site in configured)
    return (
        "Give --siteaccess, --customer-id and --license-key-env together, or none of them for every customer "
        f"of the sites file (its sites: {names})."
    )


def refuse_swapped_key(customer_id: str, license_key: str, configured: tuple[SiteAccess, ...]) -> None:
    """Refuse the key of another customer of the sites file; keys that it does not know are the engine's."""
    owners = {str(site.customer_id) for site in configured if site.license_key == license_key}
    if owners and customer_id not in owners:
        raise WrongUse(
            f"The license key does not belong to customer {customer_id[:80]}, but to another customer of the "
            "sites file. Nothing was exported."
        )


def named(site: str) -> SiteAccess:
    try:
        return site_access.site_named(site)
    except site_access.UnknownSite as error:
        raise WrongUse(f"SiteAccess {site} doesn't exist. {error}") from error


def whole_number(customer_id: str) -> int:
    if not (customer_id.isascii() and customer_id.isdigit() and int(customer_id) > 0):
        raise WrongUse(f"--customer-id must be a whole number above 0; got {customer_id[:80]!r}.")
    return int(customer_id)


def by_customer(sites: tuple[SiteAccess, ...]) -> list[Target]:
    """Sites that share a customer are exported together: a second complete export would delete the first."""
    groups: dict[tuple[int, str], list[SiteAccess]] = {}
    for site in sites:
        groups.setdefault((site.customer_id, site.license_key), []).append(site)
    return [
        Target(customer_id=customer, license_key=key, sites=tuple(members))
        for (customer, key), members in groups.items()
    ]


def target_of(run: ExportRun) -> Target:
    """Who the run is for; raises :class:`WrongUse` if the sites file no longer has its sites."""
    try:
        sites = tuple(site_access.site_named(name) for name in run.options["sites"])
    except site_access.UnknownSite as error:
        raise WrongUse(f"Export {run.pk} cannot go on: {error}") from error
    sealed = run.options.get("sealed_license_key")
    key = unseal(sealed) if sealed else sites[0].license_key
    return Target(customer_id=int(run.customer_id), license_key=key, sites=sites)


def seal(secret: str) -> str:
    """Encrypt a secret that a row has to keep until its work is done."""
    return sealing.seal(secret.encode(), purpose=PURPOSE)


def unseal(sealed: str) -> str:
    """Return the secret; raises :class:`WrongUse` if the installation's key changed meanwhile."""
    try:
        return sealing.unseal(sealed, purpose=PURPOSE).decode()
    except sealing.Unsealable as error:
        raise WrongUse(
            "The stored license key cannot be read, because SECRET_KEY changed. Run the export again."
        ) from error

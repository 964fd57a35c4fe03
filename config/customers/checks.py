"""The doctor's questions about who may send events."""

from __future__ import annotations

from collections.abc import Iterator

from config import site_access
from config.checks import Finding, part
from config.customers.directory import CustomerAccount, directory
from config.site_access import EventGate
from config.site_access.schema import origin_of


@part("events")
def gates() -> Iterator[Finding]:
    """One line for each customer whose events are not taken from just anybody."""
    for account in directory.all():
        if account.gate == EventGate():
            continue
        about = f"events of customer {account.customer_id}"
        yield Finding(about, said(account.gate))
        for origin in sorted(own_origins(account) - set(account.gate.origins)):
            if account.gate.origins:
                yield Finding(
                    about,
                    f"are refused from pages of its own site, {origin}",
                    f"Add {origin} to tracking.allowed_origins or with `manage.py change_customer`.",
                )


def own_origins(account: CustomerAccount) -> set[str]:
    """The public addresses of the customer's sites, as browsers send them."""
    sites = (s for s in site_access.configured_sites() if str(s.customer_id) == account.customer_id)
    return {origin_of(site.host_uri) for site in sites}


def said(gate: EventGate) -> str:
    """`at most 100 a second, with license key only, from pages of https://www.example.org`."""
    budget = f"at most {gate.events_per_second} a second" if gate.events_per_second else "without a limit"
    parts = [budget]
    if gate.needs_license_key:
        parts.append("with license key only, which pages cannot send")
    if gate.origins:
        parts.append(f"from pages of {', '.join(gate.origins)}")
    if gate.signed_users:
        parts.append("of accounts with the site's signature only")
    if gate.stores_robots:
        parts.append("of robots too")
    return ", ".join(parts)

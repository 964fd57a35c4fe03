"""The sites of a customer, as far as this installation's sites file knows them."""

from __future__ import annotations

from config import site_access
from config.site_access import SiteAccess


def sites_of(customer_id: str) -> list[SiteAccess]:
    """Entries of the sites file with this customer; none for customers of the table or of remote sites."""
    return [site for site in site_access.configured_sites() if str(site.customer_id) == customer_id]

"""Whose events they are: the account, and the customer of the engine that it shares them with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from cdp import configuration
from cdp.profiles import accounts
from cdp.profiles.models import Account, Feed
from config import site_access
from config.customers import directory
from config.customers.directory import CustomerAccount
from tracking.fields import BadEvent, shown


@dataclass(frozen=True, kw_only=True)
class Destination:
    """``customer``: None where no customer of the engine feeds the account."""

    account: Account
    customer: CustomerAccount | None = None

    @property
    def customer_id(self) -> str:
        return self.customer.customer_id if self.customer else ""


def of_account(number: int, *, customer_id: str = "", page: str = "") -> Destination:
    """The account of a number. Raises :class:`BadEvent` 404.

    Of several customers that feed it, it is the one that is named, else the one whose site has the host of
    ``page`` (an address), else the first.
    """
    account = accounts.find(number)
    if account is None:
        raise BadEvent(404, f"account {number} not found")
    known = customers_of(account)
    if customer_id:
        if customer_id not in known:
            raise BadEvent(404, f"customer {shown(customer_id)} feeds no events to account {number}")
        known = [customer_id]
    elif len(known) > 1:
        known = [one for one in of_host(page) if one in known] or known
    found = directory.find(known[0]) if known else None
    return Destination(account=account, customer=found)


def of_customer(customer_id: str) -> list[Destination]:
    """Every account that the customer feeds. Raises :class:`BadEvent` 404 when there is none."""
    customer = directory.find(customer_id)
    numbers = [n for n, ids in configuration.current().accounts.items() if customer_id in ids]
    numbers += Feed.objects.filter(customer_id=customer_id).values_list("account__number", flat=True)
    found = [account for number in dict.fromkeys(numbers) if (account := accounts.find(number))]
    if customer is None or not found:
        raise BadEvent(404, f"customer {shown(customer_id)} feeds no account of the customer data platform")
    return [Destination(account=account, customer=customer) for account in found]


def customers_of(account: Account) -> list[str]:
    """Those of the sites file first, in its order."""
    written = configuration.current().accounts.get(account.number, ())
    stored = Feed.objects.filter(account=account).order_by("pk").values_list("customer_id", flat=True)
    return list(dict.fromkeys([*written, *stored]))


def of_host(page: str) -> list[str]:
    """The customers of the sites that have the host of this address."""
    try:
        host = urlsplit(page).netloc
    except ValueError:
        return []
    sites = site_access.configured_sites()
    return [str(site.customer_id) for site in sites if host and urlsplit(site.host_uri).netloc == host]

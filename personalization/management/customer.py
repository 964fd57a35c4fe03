"""Which customer an option names."""

from __future__ import annotations

from django.core.management.base import CommandError

from config.customers.directory import CustomerAccount, directory

WRONG_USE = 2


def known_customer(given: object) -> CustomerAccount:
    """The account. Raises CommandError with the customers that there are."""
    account = directory.find(str(given))
    if account is None:
        known = ", ".join(one.customer_id for one in directory.all()) or "none"
        raise CommandError(
            f"There is no customer {str(given)[:80]!r}. Known are: {known}.", returncode=WRONG_USE
        )
    return account

"""What pages share whose form makes a row for one of several customers."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import cached_property

from config.customers.directory import CustomerAccount
from personalization.screens import access
from personalization.server.defaults import ensure_defaults


class ForCustomer:
    """``making``: the permission that is needed for the customer; for one at least to see the form."""

    making: str
    request: HttpRequest

    def missing(self) -> list[str]:
        return [] if self.accounts() else [self.making]

    def accounts(self) -> list[CustomerAccount]:
        """To choose from."""
        return access.customers(self.request.user, self.making)

    @cached_property
    def account(self) -> CustomerAccount:
        """That of the form; one that was never asked for anything has its models and scenarios by now."""
        found = access.of_form(self.request, self.making)
        ensure_defaults(found.customer_id)
        return found

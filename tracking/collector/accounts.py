"""The customers as the collector's event loop sees them: a snapshot that a thread renews.

The shared directory reads the database when its snapshot is old, which would stop every connection for as
long as the database takes.
"""

from __future__ import annotations

import logging

from django.db import close_old_connections

from config.customers.directory import CustomerAccount, directory
from tracking.rotation import keys

logger = logging.getLogger("tracking")

REFRESH_SECONDS = 1.5


class Accounts:
    """Looks customers up without ever waiting."""

    def __init__(self) -> None:
        self._accounts: dict[str, CustomerAccount] = {}
        self._noted = False

    def find(self, customer_id: str) -> CustomerAccount | None:
        return self._accounts.get(customer_id)

    def refresh(self) -> None:
        """Read all customers again. Blocks; call it from a thread."""
        close_old_connections()
        self._accounts = {account.customer_id: account for account in directory.all()}
        if not self._noted:
            keys.note_quietly()
            self._noted = True
        keys.settled.look()

    def try_refresh(self) -> None:
        """Like :meth:`refresh`, but keeps what is known when the database does not answer."""
        try:
            self.refresh()
        except Exception as reason:  # noqa: BLE001 - known customers' events must still be stored
            logger.warning("The customers could not be read again: %s", type(reason).__name__)

"""Looking customers up, whichever place declares them.

Two places know customers: the sites file (credentials of the sites) and the table of
:class:`~config.customers.models.Customer` (made with ``manage.py create_customer``). Where both name
the same id, the license key of either is accepted.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError, OperationalError, transaction
from django.dispatch import Signal

from config import site_access
from config.customers import gates
from config.customers.gates import GateRules
from config.customers.models import Customer
from config.site_access import EventGate

logger = logging.getLogger("personalization")

# The collector asks for every event; a customer made a moment ago may take this long to be known.
CACHE_SECONDS = 2.0
RETRY_SECONDS = 1.0
# Sent after the commit with ``customer_id: str``, so that the engine can prepare models and scenarios.
customer_created = Signal()


@dataclass(frozen=True, kw_only=True)
class CustomerAccount:
    """What the engine and the collector need to know of a customer."""

    customer_id: str
    name: str
    kind: str
    alphanumeric_items: bool
    license_key_digests: tuple[str, ...]
    # Headers in lower case that, with the value 1, keep an event from being linked to its sender.
    opt_out_headers: tuple[str, ...] = ("dnt", "sec-gpc")
    # Whether only events with consent=1 are linked to their sender.
    consent_required: bool = False
    gate: EventGate = EventGate()
    # Event code or "default" -> days after which events go; without either they are kept for ever.
    retention: Mapping[str, int] = field(default_factory=dict)

    def accepts(self, license_key: str) -> bool:
        """Whether ``license_key`` is this customer's."""
        offered = license_key_digest(license_key)
        return any(hmac.compare_digest(offered, known) for known in self.license_key_digests)


class Directory:
    """A snapshot of all customers, at most :data:`CACHE_SECONDS` old. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, CustomerAccount] = {}
        self._read_at = -CACHE_SECONDS
        self._fault: DatabaseError | None = None

    def find(self, customer_id: str) -> CustomerAccount | None:
        """The customer, None if there is none.

        While the database is away, customers that were known before still are; of others nobody can tell,
        and the database's error is raised.
        """
        if time.monotonic() - self._read_at >= CACHE_SECONDS:
            self.try_refresh()
        account = self._accounts.get(customer_id)
        if account is None and self._fault:
            raise OperationalError("The customers cannot be read.") from self._fault
        return account

    def try_refresh(self) -> None:
        """Read both places again; without the database keep what is known and try again in a second."""
        try:
            self.refresh()
        except DatabaseError as fault:
            logger.warning("The customers could not be read again: %s", type(fault).__name__)
            self._fault = fault
            self._read_at = time.monotonic() - CACHE_SECONDS + RETRY_SECONDS

    def forget(self) -> None:
        """Read both places again at the next question."""
        self._read_at = -CACHE_SECONDS

    def all(self) -> list[CustomerAccount]:
        self.refresh()
        return list(self._accounts.values())

    def refresh(self) -> None:
        """Read both places again."""
        with self._lock:
            accounts = {c.customer_id: c for c in from_sites_file()}
            for row in Customer.objects.all():
                known = accounts.get(row.customer_id)
                accounts[row.customer_id] = CustomerAccount(
                    customer_id=row.customer_id,
                    name=row.name,
                    kind=row.kind,
                    alphanumeric_items=row.alphanumeric_items,
                    license_key_digests=(
                        row.license_key_digest,
                        *(known.license_key_digests if known else ()),
                    ),
                    opt_out_headers=known.opt_out_headers if known else CustomerAccount.opt_out_headers,
                    consent_required=row.needs_consent or bool(known and known.consent_required),
                    gate=gates.gate_of(row, known.gate if known else None),
                    retention=known.retention if known else settings.RETENTION,
                )
            self._accounts = accounts
            self._fault = None
            self._read_at = time.monotonic()


def from_sites_file() -> list[CustomerAccount]:
    """The customers whose credentials stand in the sites file."""
    found: dict[str, CustomerAccount] = {}
    for site in site_access.configured_sites():
        customer_id = str(site.customer_id)
        earlier = found.get(customer_id)
        found[customer_id] = CustomerAccount(
            customer_id=customer_id,
            name=earlier.name if earlier else site.site_name or site.name,
            kind=Customer.Kind.PUBLISHER,
            alphanumeric_items=site.use_remote_id,
            license_key_digests=(
                *(earlier.license_key_digests if earlier else ()),
                license_key_digest(site.license_key),
            ),
            # The sites of a customer share its events, so the strictest of them counts.
            opt_out_headers=tuple(
                sorted({*site.opt_out_headers, *(earlier.opt_out_headers if earlier else ())})
            ),
            consent_required=site.consent_required or bool(earlier and earlier.consent_required),
            gate=site.gate.stricter(earlier.gate) if earlier else site.gate,
            retention=site.retention if earlier is None else shortest(earlier.retention, site.retention),
        )
    return [replace(one, retention=settings.RETENTION | dict(one.retention)) for one in found.values()]


def shortest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The retention that keeps both promises."""
    both: dict[str, int] = {}
    for code in one.keys() | other.keys():
        days = [each.get(code, each.get("default")) for each in (one, other)]
        both[code] = min(number for number in days if number is not None)
    return both


def license_key_digest(license_key: str) -> str:
    """Keyed SHA-256 of a license key, hexadecimal, for storing and comparing."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, b"license-key:" + license_key.encode(), sha256).hexdigest()


def new_license_key() -> str:
    """A random key in the usual shape, five groups of four digits (66 bits)."""
    return "-".join(f"{secrets.randbelow(10_000):04d}" for _ in range(5))


def create_customer(
    *,
    name: str,
    kind: str,
    alphanumeric_items: bool = False,
    customer_id: str = "",
    rules: GateRules = gates.UNSET,
) -> tuple[Customer, str]:
    """Create a customer of the embedded engine. ``rules``: who may send its events, and how many.

    Returns the row and its license key in clear; only here, for the key is not stored.
    """
    license_key = new_license_key()
    row = Customer(
        customer_id=customer_id or free_customer_id(),
        name=name,
        kind=kind,
        alphanumeric_items=alphanumeric_items,
        license_key_digest=license_key_digest(license_key),
    )
    gates.fill(row, rules)
    row.save(force_insert=True)
    directory.forget()
    transaction.on_commit(lambda: announce(row.customer_id))
    return row, license_key


def change_gate(row: Customer, rules: GateRules) -> None:
    """Set who may send a customer's events. Running collectors and web servers follow within two seconds."""
    gates.fill(row, rules)
    row.save(update_fields=gates.COLUMNS)
    directory.forget()
    transaction.on_commit(directory.forget)


def announce(customer_id: str) -> None:
    """Tell the layers above. The customer exists whatever they make of it: they also look by themselves."""
    directory.forget()
    for receiver, outcome in customer_created.send_robust(sender=Customer, customer_id=customer_id):
        if isinstance(outcome, Exception):
            logger.error("%s failed for the new customer %s: %s", receiver, customer_id, outcome)


def free_customer_id() -> str:
    """A five to six digit id that no customer has yet."""
    taken = {account.customer_id for account in directory.all()}
    while True:
        candidate = str(20_000 + secrets.randbelow(880_000))
        if candidate not in taken:
            return candidate


directory = Directory()
find = directory.find

"""Proof that a user id was given out by the site: nobody else can speak, or ask, for that person.

Whoever knows or guesses the id of an account could send events in its name and read its recommendations; both
addresses hold nothing but the id. Where a site says `tracking.signed_users: true`, an id comes with a
signature that only holders of the license key can make. The random ids of visitors need none: they cannot be
guessed.
"""

from __future__ import annotations

import hmac
import re

from config import site_access
from config.customers.directory import CustomerAccount

PARAMETER = "usersig"
DIGITS = 32  # hexadecimal: 128 bits
# As the visitor cookie is made, by Django and by the tracker.
RANDOM_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{1,10}(?:-[0-9]{1,10}){3}"
)
NOBODY = frozenset({"", "not_defined"})


def user_signature(*, license_key: str, customer_id: str | int, user: str) -> str:
    """HMAC-SHA256 of `<customer>:<user id>` under the license key, its first 32 hexadecimal digits."""
    return hmac.digest(license_key.encode(), f"{customer_id}:{user}".encode(), "sha256").hex()[:DIGITS]


def needs_signature(user: str) -> bool:
    return user not in NOBODY and RANDOM_ID.fullmatch(user) is None


def may_speak(account: CustomerAccount, user: str, signature: str) -> bool:
    """Whether the sender may act as ``user``, an id in clear.

    The signature is checked against the license keys of the customer's sites; a customer that is not in the
    sites file has none in clear, so nobody can sign for its accounts.
    """
    if not account.gate.signed_users or not needs_signature(user):
        return True
    made = (
        user_signature(license_key=key, customer_id=account.customer_id, user=user)
        for key in license_keys(account.customer_id)
    )
    given = signature.lower().encode()
    return any(hmac.compare_digest(one.encode(), given) for one in made)


def license_keys(customer_id: str) -> list[str]:
    """The license keys in clear, which only sites of the sites file have."""
    return [s.license_key for s in site_access.configured_sites() if str(s.customer_id) == customer_id]

"""Bearer tokens that the engine presents when it fetches content.

Reference `client-protocol.md` 3.6, with one departure: only the SHA-256 of a token is stored. A token is
256 random bits, so a plain digest cannot be reversed and no slow hash is needed. For the same reason a
token cannot be read back and handed out again: every notification carries a new one.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from personalization.client.models import AccessToken

LIFETIME = timedelta(days=1)
MOST_DAYS = 366
# What notifications name as the login of a token, for engines that know basic authentication only.
LOGIN = "token"
PREFIX = "pt_"  # lets secret scanners recognise a leaked one
# Written out, because every fetch of the engine looks one up: 15 microseconds, through the ORM 180.
USABLE = f"""
    SELECT id, customer_id, used_at FROM {AccessToken._meta.db_table}
    WHERE digest = %s AND identifier = %s AND expires_at > %s AND NOT revoked
"""  # noqa: S608


def mint(
    customer_id: int | str, *, identifier: str = AccessToken.UPDATE, lifetime: timedelta = LIFETIME
) -> str:
    """Create a token for one customer and flow and return it in clear, for the only time.

    ``identifier`` is its scope: ``update`` opens the content endpoints, ``export`` the files of full exports.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    AccessToken.objects.create(
        identifier=identifier,
        customer_id=str(customer_id),
        digest=digest(token),
        created_at=now,
        expires_at=now + lifetime,
    )
    return token


def customer_of(token: str, *, identifier: str) -> str | None:
    """Return the id of the customer that ``token`` was made for.

    None if it is unknown, expired, revoked or made for another flow; which of these is not told.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        # The lookup compares digests of a random token, so its timing tells nothing of the token itself.
        cursor.execute(USABLE, (digest(token), identifier, now))
        row = cursor.fetchone()
    if row is None:
        return None
    pk, customer_id, used_at = row
    if used_at is None:
        note_use(pk)
    return str(customer_id)


def note_use(pk: int) -> None:
    """Keep the first use only: an export fetches hundreds of files with the same token."""
    AccessToken.objects.filter(pk=pk, used_at=None).update(used_at=timezone.now())


def rotate(customer_id: int | str, *, identifier: str, lifetime: timedelta = LIFETIME) -> str:
    """Create a token and revoke all older ones of this customer and flow, at once."""
    with transaction.atomic():
        revoke(usable().filter(customer_id=str(customer_id), identifier=identifier))
        return mint(customer_id, identifier=identifier, lifetime=lifetime)


def usable() -> QuerySet[AccessToken]:
    """The tokens that still open something, the newest first."""
    return AccessToken.objects.filter(revoked=False, expires_at__gt=timezone.now()).order_by("-pk")


def revoke(rows: QuerySet[AccessToken]) -> int:
    """Let these tokens open nothing any more; return how many did before."""
    return rows.filter(revoked=False).order_by().update(revoked=True)


def purge() -> int:
    """Delete expired tokens; return how many there were."""
    return AccessToken.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

"""Secrets of activations: written once, stored sealed, two of them valid while one is changed."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from cdp.activations.models import Activation
from config import sealing

PURPOSE = "cdp-activation"
BOTH_VALID = timedelta(hours=24)  # reference `cdp.md` 4.1


def seal(secret: str) -> str:
    return sealing.seal(secret.encode(), purpose=PURPOSE) if secret else ""


def of(activation: Activation) -> str:
    """The secret in clear. Raises :class:`~config.sealing.Unsealable`."""
    return unsealed(activation.secret)


def in_force(activation: Activation, *, now: datetime | None = None) -> list[str]:
    """The secret, and the one before it while that is valid too."""
    until = activation.previous_until
    rotating = activation.previous_secret and until and until > (now or timezone.now())
    found = [activation.secret, activation.previous_secret] if rotating else [activation.secret]
    return [unsealed(one) for one in found if one]


def unsealed(sealed: str) -> str:
    return sealing.unseal(sealed, purpose=PURPOSE).decode() if sealed else ""


def matches(activation: Activation, presented: str) -> bool:
    """Whether a caller has the secret; takes as long for a wrong one."""
    given = sha256(presented.encode()).digest()
    found = [hmac.compare_digest(sha256(one.encode()).digest(), given) for one in in_force(activation)]
    return any(found)

"""What the membership API serves: nothing is sent, whoever has the key asks (reference `cdp.md` 4.8)."""

from __future__ import annotations

import secrets as randomness

from django.utils.translation import gettext_lazy as _

from cdp.activations.models import Activation
from cdp.activations.targets import base
from cdp.activations.targets.base import Receipt, Shipment, Target, Verdict, register

SHORTEST, LONGEST = 24, 255  # characters of a key


class CdpApiConfig(base.Config):
    """There is nothing to set."""


@register
class CdpApi(Target):
    kind, label, Config = "cdp_api", _("CDP API"), CdpApiConfig
    tells = delivers = False

    def deliver(self, shipment: Shipment) -> Receipt:
        """Members are read where they are, so everything has arrived already."""
        return Receipt()

    def probe(self, activation: Activation) -> Verdict:
        return Verdict(ok=True, words="Nothing is sent; callers read the members with its key.")

    def new_secret(self) -> str:
        return randomness.token_urlsafe(32)

    def check_secret(self, secret: str) -> None:
        super().check_secret(secret)
        if not SHORTEST <= len(secret) <= LONGEST or not (secret.isascii() and secret.isprintable()):
            raise ValueError(f"must have {SHORTEST} to {LONGEST} printable ASCII characters")

"""Any receiver of signed JSON, by the Standard Webhooks specification 1.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as randomness
import time
from typing import Annotated, Any

import orjson
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, Field

from cdp.activations import secrets
from cdp.activations.models import Activation
from cdp.activations.targets import base, calls
from cdp.activations.targets.base import Broken, Later, Receipt, Shipment, Target, Verdict, register
from config.http import Answer
from config.sealing import Unsealable

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret


def public_address(url: str) -> str:
    return calls.address(url, code="bad_url")


class WebhookConfig(base.Config):
    url: Annotated[str, Field(max_length=500), AfterValidator(public_address)]


@register
class Webhook(Target):
    kind, label, Config = "webhook", _("Signed webhook"), WebhookConfig

    def deliver(self, shipment: Shipment) -> Receipt:
        return Receipt(status=posted(shipment, kind="audience.members_changed").status)

    def probe(self, activation: Activation) -> Verdict:
        try:
            answer = posted(base.nobody(activation), kind="audience.test")
        except (Later, Broken) as fault:
            return Verdict(ok=False, words=str(fault))
        return Verdict(ok=True, words=f"The receiver takes requests (status {answer.status}).")

    def new_secret(self) -> str:
        return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()

    def check_secret(self, secret: str) -> None:
        super().check_secret(secret)
        if not secret.startswith(PREFIX) or not SHORTEST <= len(key_of(secret)) <= LONGEST:
            raise ValueError(f"must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")

    def place(self, config: dict[str, Any]) -> tuple[Any, ...]:
        return (config.get("url"),)

    def address(self, config: dict[str, Any]) -> str:
        return str(config.get("url", ""))


def posted(shipment: Shipment, *, kind: str) -> Answer:
    config = WebhookConfig.model_validate(shipment.activation.config)
    body = body_of(shipment, kind=kind)
    try:
        keys = secrets.in_force(shipment.activation)
    except Unsealable as fault:
        raise Broken(f"{fault} Make a new secret.") from None
    signed = signature_headers(keys, request_id=shipment.request_id, at=int(time.time()), body=body)
    return calls.post(config.url, body=body, headers=signed)


def signature_headers(keys: list[str], *, request_id: str, at: int, body: bytes) -> dict[str, str]:
    """One signature for each key in force, so that receivers may change theirs in time. ``at``: seconds."""
    signed = b"%s.%d.%s" % (request_id.encode(), at, body)
    made = (base64.b64encode(hmac.digest(key_of(key), signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{one}" for one in made),
    }


def key_of(secret: str) -> bytes:
    """The bytes behind ``whsec_``; none where that is not base64."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def body_of(shipment: Shipment, *, kind: str) -> bytes:
    """The same bytes for the same request."""
    activation = shipment.activation
    return orjson.dumps(
        {
            "type": kind,
            "timestamp": base.utc(shipment.sent_at),
            "data": {
                "activation": {"id": activation.public_id, "name": activation.name},
                "sequence": shipment.sequence,
                "person_identifier": activation.person_identifier,
                "audiences": shipment.audiences,
                "actions": [one._asdict() for one in shipment.actions],
            },
        }
    )

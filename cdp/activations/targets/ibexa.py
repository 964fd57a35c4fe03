"""The webhook of a site: segments follow audiences (reference `cdp.md` 4.1, 4.4)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cdp.activations import secrets
from cdp.activations.models import Activation
from cdp.activations.targets import base, calls
from cdp.activations.targets.base import Broken, Later, Receipt, Shipment, Target, Verdict, register
from config.http import Answer
from config.sealing import Unsealable

PATH = "/cdp/webhook"
VERSION = 1
LONGEST_SECRET = 255


def webhook_of_a_site(url: str) -> str:
    calls.address(url, code="bad_base_url")
    parts = urlsplit(url)
    if not parts.path.rstrip("/").endswith(PATH) or parts.query:
        raise PydanticCustomError("bad_base_url", "the address must end with {path}", {"path": PATH})
    return url


Plain = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x39\x3b-\x7e]+$")]


class IbexaConfig(base.Config):
    base_url: Annotated[str, Field(max_length=500), AfterValidator(webhook_of_a_site)]
    client_id: Plain  # of basic authentication, so without a colon
    segment_group_identifier: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


@register
class Ibexa(Target):
    """Our own site or any other that takes version 1 of the contract."""

    kind, label, Config = "ibexa", _("Site (Ibexa webhook)"), IbexaConfig
    person_identifiers = ("userid", "email")

    def deliver(self, shipment: Shipment) -> Receipt:
        config = IbexaConfig.model_validate(shipment.activation.config)
        answer = posted(config, shipment.activation, body_of(config, shipment))
        said = {name: value for name, value in calls.document(answer).items() if is_count(value)}
        return Receipt(said.get("skipped", 0), status=answer.status, words=words_of(said))

    def probe(self, activation: Activation) -> Verdict:
        config = IbexaConfig.model_validate(activation.config)
        try:
            answer = posted(config, activation, body_of(config, base.nobody(activation)))
        except (Later, Broken) as fault:
            return Verdict(ok=False, words=str(fault))
        return Verdict(ok=True, words=f"The site takes requests for this group (status {answer.status}).")

    def check_secret(self, secret: str) -> None:
        super().check_secret(secret)
        if len(secret) > LONGEST_SECRET or not (secret.isascii() and secret.isprintable()):
            raise ValueError(f"must have 1 to {LONGEST_SECRET} printable ASCII characters")

    def place(self, config: dict[str, Any]) -> tuple[Any, ...]:
        return config.get("base_url"), config.get("segment_group_identifier")

    def address(self, config: dict[str, Any]) -> str:
        return str(config.get("base_url", ""))

    def shows_secret(self, config: dict[str, Any]) -> str:
        parts = urlsplit(self.address(config))
        return f"{parts.scheme}://{parts.netloc}"


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def words_of(counts: dict[str, int]) -> str:
    """What the site did: only the counts of the contract, whatever else it says."""
    known = ("applied", "unchanged", "skipped", "queued")
    return ", ".join(f"{counts[name]} {name}" for name in known if name in counts)


def posted(config: IbexaConfig, activation: Activation, body: bytes) -> Answer:
    try:
        basic = config.client_id, secrets.of(activation)
    except Unsealable as fault:
        raise Broken(f"{fault} Enter the client secret again.") from None
    return calls.post(config.base_url, body=body, headers={}, basic=basic)


def body_of(config: IbexaConfig, shipment: Shipment) -> bytes:
    """The same bytes for the same request: the receiver knows repetitions by them."""
    activation = shipment.activation
    return orjson.dumps(
        {
            "version": VERSION,
            "request_id": shipment.request_id,
            "sequence": shipment.sequence,
            "sent_at": base.utc(shipment.sent_at),
            "activation": {"id": activation.public_id, "name": activation.name},
            "segment_group_identifier": config.segment_group_identifier,
            "person_identifier": activation.person_identifier,
            "audiences": shipment.audiences,
            "actions": [one._asdict() for one in shipment.actions],
        }
    )

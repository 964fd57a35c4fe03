"""The wizard of activations, as somebody goes through it."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from cdp.audiences.models import Audience
from tests.cdp.conftest import SECRET

STEPS: dict[str, tuple[str, ...]] = {
    "next": ("account", "kind", "name", "description", "person_identifier"),
    "receiver": ("base_url", "client_id", "segment_group_identifier", "secret", "url", "keep_days"),
    "create": ("audiences", "purpose"),
}


def typed(audience: Audience, **changed: Any) -> dict[str, Any]:
    """Everything that somebody types for an activation towards a site; names of settings without the kind."""
    return {
        "account": audience.account.pk,
        "kind": "ibexa",
        "name": "Site",
        "person_identifier": "userid",
        "base_url": "http://localhost:1/cdp/webhook",
        "client_id": "mine",
        "segment_group_identifier": "audiences",
        "secret": SECRET,
        "audiences": [audience.pk],
    } | changed


def create(client: Client, audience: Audience, **changed: Any) -> Any:
    """The answer at the end, or of the first step that refused."""
    given = typed(audience, **changed)
    kind = str(given["kind"])
    general = {name: given[name] for name in STEPS["next"] if name in given}
    answer = client.post(reverse("cdp_activation_new"), general | {"action": "next"}, follow=True)
    if answer.status_code != 200 or not answer.redirect_chain:
        return answer
    receiver = {
        name if name == "secret" else f"{kind}-{name}": given[name]
        for name in STEPS["receiver"]
        if name in given
    }
    answer = client.post(answer.redirect_chain[-1][0], receiver | {"action": "next"}, follow=True)
    if answer.status_code != 200 or not answer.redirect_chain:
        return answer
    last = {name: given[name] for name in STEPS["create"] if name in given}
    return client.post(answer.redirect_chain[-1][0], last | {"action": "create"}, follow=True)

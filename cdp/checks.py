"""The doctor's questions about the customer data platform."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from cdp import configuration
from cdp.configuration import Activation
from cdp.visitors import keeping
from cdp.webhook import upkeep
from cdp.webhook.failed import failed
from config.checks import Finding, part
from personalization.segments.models import SegmentGroup

DEMO_SECRET = "demo-secret-for-local-use-only-0000"  # noqa: S105 - everybody knows it
SHORTEST_SECRET = 32


@part("customer data")
def configured() -> Iterator[Finding]:
    found = configuration.current()
    for fault in found.faults:
        yield Finding("customer data", fault, "Correct it in the sites file.")
    if fault := keeping.fault():
        yield Finding("customer data", fault, "Correct it in the sites file.")
    for note in found.notes:
        yield Finding("customer data", f"{note}; it is still read")
    known = set(SegmentGroup.objects.values_list("identifier", flat=True))
    for one in found.activations.values():
        # The sites file that comes with the project names the demo's group, which only the demo makes.
        is_demo = settings.DEBUG and DEMO_SECRET in one.client_secret
        if one.segment_group_identifier not in known and not is_demo:
            yield Finding(
                f"activation {one.client_id}",
                f"its segment group {one.segment_group_identifier!r} does not exist",
                "Create it under Customer data > Segment groups; it cannot be changed from then on.",
            )
        yield from secrets_of(one)


def secrets_of(activation: Activation) -> Iterator[Finding]:
    about, secrets = f"activation {activation.client_id}", activation.client_secret
    if len(secrets) > 1:
        yield Finding(
            about,
            "it has two client secrets; both are taken",
            "Remove the older one once the platform sends the new one, within 24 hours.",
        )
    if DEMO_SECRET in secrets and not settings.DEBUG:
        yield Finding(
            about,
            "it has the demo's secret, which everybody knows",
            "Make one with `manage.py cdp_generate_credentials`.",
            refused=True,
        )
    if any(len(one) < SHORTEST_SECRET for one in secrets):
        yield Finding(
            about,
            f"its secret is shorter than {SHORTEST_SECRET} characters",
            "Make one with `manage.py cdp_generate_credentials`.",
        )


@part("webhook queue")
def queue() -> Iterator[Finding]:
    since = upkeep.waiting_since()
    if since and since < timezone.now() - upkeep.LONGEST_WAIT:
        yield Finding(
            "webhook queue",
            f"an item waits since {since:%Y-%m-%d %H:%M} UTC",
            "Is the worker running? `manage.py work` applies what waits.",
        )
    if count := failed().count():
        yield Finding(
            "webhook queue", f"{count} items failed", "`manage.py cdp_failed` lists them and tries again."
        )

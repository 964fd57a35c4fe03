"""The history of deliveries is kept as long as other ended work; what the doctor asks."""

from __future__ import annotations

from collections.abc import Iterator

from cdp.activations.models import Activation, DeliveryRun
from config.checks import Finding, part
from config.jobs.history import delete, oldest_kept
from config.jobs.schedule import periodic


@periodic("cdp.delivery_history", every=3600.0)
def forget_old() -> None:
    delete(DeliveryRun.objects.filter(finished_at__lt=oldest_kept()))


@part("activations")
def stopped() -> Iterator[Finding]:
    for one in Activation.objects.filter(state=Activation.State.ERROR).order_by("pk"):
        yield Finding(
            f"activation {one.name}",
            f"it has stopped: {one.reason.rstrip('.')}",
            "Correct it, or resume it when the receiver is mended.",
        )

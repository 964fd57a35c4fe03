"""The history of deliveries is kept as long as other ended work, files as long as their activation says; what
the doctor asks."""

from __future__ import annotations

from collections.abc import Iterator

from cdp.activations import deliver
from cdp.activations.models import Activation, DeliveryRun, SentRequest
from cdp.activations.targets import base
from config.checks import Finding, part
from config.jobs.history import delete, oldest_kept
from config.jobs.schedule import periodic


@periodic("cdp.delivery_history", every=3600.0)
def forget_old() -> None:
    delete(DeliveryRun.objects.filter(finished_at__lt=oldest_kept()))
    delete(SentRequest.objects.filter(last_at__lt=oldest_kept()))


@periodic("cdp.delivery_files", every=3600.0)
def forget_files() -> None:
    """Also of activations that are paused or have nothing to send. A delivery under way sees to its own."""
    for one in base.with_files(Activation.objects.order_by("pk")):
        with deliver.held(one.pk) as activation:
            if activation is not None:
                base.of(activation).tidy(activation)


@part("activations")
def stopped() -> Iterator[Finding]:
    for one in Activation.objects.filter(state=Activation.State.ERROR).order_by("pk"):
        yield Finding(
            f"activation {one.name}",
            f"it has stopped: {one.reason.rstrip('.')}",
            "Correct it, or resume it when the receiver is mended.",
        )

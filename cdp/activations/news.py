"""What starts deliveries: news of audiences and of erased people, and a sweep for what was missed."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.dispatch import receiver
from django.utils import timezone

from cdp.activations import changes, deliver
from cdp.activations.models import Activation, ActivationAudience, LedgerEntry
from cdp.activations.targets import base
from cdp.audiences.signals import calculated
from cdp.profiles.signals import erased
from config.jobs.schedule import periodic

SWEEP_SECONDS = 15.0
DIGESTS = 500  # in one statement


@receiver(calculated)
def members_changed(*, audience: int, **_more: Any) -> None:
    """Deliver to the active activations of the audience."""
    active = Activation.objects.filter(
        state=Activation.State.ACTIVE, attachments__audience=audience, attachments__removed_at=None
    )
    for key in deliver.sending(active).values_list("pk", flat=True).distinct():
        deliver.enqueue(key)


@receiver(erased)
def people_erased(*, account: int, identifiers: list[tuple[str, str]], **_more: Any) -> dict[str, int]:
    """Take erased people out wherever the ledger has them (reference `cdp.md` 6.4); of how many entries."""
    digests = sorted({digest for _, digest in identifiers})
    attached = ActivationAudience.objects.filter(activation__account=account)
    places = attached.values_list("activation", "audience")
    told = 0
    for activation, audience in list(places):
        entries = LedgerEntry.objects.filter(activation=activation, audience=audience)
        parts = (digests[start : start + DIGESTS] for start in range(0, len(digests), DIGESTS))
        if count := sum(entries.filter(digest__in=part).count() for part in parts):
            told += count
            attached.filter(activation=activation, audience=audience).update(asked=F("asked") + 1)
            deliver.enqueue(activation)
    for one in base.with_files(Activation.objects.filter(account=account).select_related("account")):
        base.of(one).erase(one, digests)
    return {"sent": told}


@periodic("cdp.deliveries", every=SWEEP_SECONDS)
def sweep() -> None:
    """Find what is pending and nobody works on: news that a crash lost, tries whose time has come."""
    archived = ActivationAudience.objects.filter(removed_at=None, audience__archived_at__isnull=False)
    changes.take_out(archived.select_related("activation"))
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    for key in deliver.due().filter(free).values_list("pk", flat=True):
        deliver.enqueue(key)

"""Audiences and activations, seen from an audience."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from cdp.activations import changes
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation
from cdp.audiences.models import Audience
from cdp.screens.page import key_of

__all__ = ["CHANGE", "VIEW", "ActivationFault", "attach", "detach", "of", "offered"]

VIEW, CHANGE = "activations.view_activation", "activations.change_activation"


def of(audience: Audience) -> list[Activation]:
    """Those that the audience is attached to."""
    rows = Activation.objects.filter(attachments__audience=audience, attachments__removed_at=None)
    return list(rows.order_by("name"))


def offered(audience: Audience) -> list[Activation]:
    rows = Activation.objects.filter(account=audience.account, ending_at=None)
    return list(rows.exclude(pk__in=[one.pk for one in of(audience)]).order_by("name"))


def attach(audience: Audience, key: str | None) -> None:
    changes.attach(activation(audience, key), audience)


def detach(audience: Audience, key: str | None) -> None:
    changes.detach(activation(audience, key), audience)


def activation(audience: Audience, key: str | None) -> Activation:
    return get_object_or_404(Activation, account=audience.account, pk=key_of(key))

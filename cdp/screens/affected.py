"""What an Operational Insight is about, as a link for those who may follow it; one query for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext

from cdp.activations import deliver
from cdp.activations.models import ID_PREFIX, Activation
from cdp.audiences import calculate
from cdp.audiences.models import Audience
from cdp.dataflows import matters
from cdp.dataflows.models import Dataflow
from cdp.profiles import people
from cdp.profiles.models import Insight
from cdp.screens import access, activations, audiences, dataflows
from cdp.screens.page import key_of


class Affected(NamedTuple):
    label: str
    url: str


def affected(rows: Sequence[Insight], user: Any) -> dict[int, Affected]:
    """By key of the insight; what is gone, or not for this user, is left out."""

    def about(permission: str, *codes: str) -> list[Insight]:
        mine = [row for row in rows if row.code in codes]
        return [row for row in mine if access.may(user, permission, row.account)]

    found = of_dataflows(about(dataflows.VIEW, *matters.CODES))
    found |= of_audiences(about(audiences.VIEW, calculate.FAILED))
    found |= of_activations(about(activations.VIEW, deliver.FAILED))
    return found | {
        row.pk: Affected(gettext("Profile"), reverse("cdp_profile", args=[row.subject]))
        for row in about(dataflows.SEE_PEOPLE, people.TOO_MANY)
    }


def of_dataflows(rows: Sequence[Insight]) -> dict[int, Affected]:
    keys = {row.pk: key_of(row.subject) for row in rows}
    known = (
        Dataflow.objects.exclude(status=Dataflow.Status.ARCHIVED).in_bulk(set(keys.values())) if rows else {}
    )
    return {
        row.pk: Affected(known[keys[row.pk]].name, reverse("cdp_dataflow", args=[keys[row.pk]]))
        for row in rows
        if keys[row.pk] in known and known[keys[row.pk]].account_id == row.account_id
    }


def of_audiences(rows: Sequence[Insight]) -> dict[int, Affected]:
    named = Audience.objects.filter(archived_at=None, identifier__in=[row.subject for row in rows])
    known = {(one.account_id, one.identifier): one for one in named} if rows else {}
    return {
        row.pk: Affected(one.name, reverse("cdp_audience", args=[one.pk]))
        for row in rows
        if (one := known.get((row.account_id, row.subject)))
    }


def of_activations(rows: Sequence[Insight]) -> dict[int, Affected]:
    keys = {row.pk: key_of(row.subject.removeprefix(ID_PREFIX)) for row in rows}
    known = Activation.objects.in_bulk(set(keys.values())) if rows else {}
    return {
        row.pk: Affected(known[keys[row.pk]].name, reverse("cdp_activation", args=[keys[row.pk]]))
        for row in rows
        if keys[row.pk] in known and known[keys[row.pk]].account_id == row.account_id
    }

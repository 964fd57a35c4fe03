"""Segments to choose from, with what their platform told of them (reference `cdp.md` 4.6, 4.7)."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from personalization.segments.models import Segment


def by_group() -> list[tuple[str, list[tuple[str, str]]]]:
    """Identifiers and labels by group, as a form field takes them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in Segment.objects.select_related("group").order_by("group__name", "name"):
        found.setdefault(one.group.name, []).append((one.identifier, label(one)))
    return list(found.items())


def label(segment: Segment) -> str:
    """The name, and behind it size, last update and tags where they are known."""
    facts = []
    if segment.size is not None:
        facts.append(_("size %(size)s") % {"size": number_format(segment.size, force_grouping=True)})
    if segment.counted_at is not None:
        when = date_format(segment.counted_at, "SHORT_DATE_FORMAT")
        facts.append(_("updated %(when)s") % {"when": when})
    if segment.tags:
        facts.append(_("tags %(tags)s") % {"tags": ", ".join(map(str, segment.tags))})
    return f"{segment.name} ({'; '.join(facts)})" if facts else segment.name


def gone(identifiers: Collection[str]) -> list[str]:
    """Those that no segment has any more, in their order."""
    known = set(Segment.objects.filter(identifier__in=identifiers).values_list("identifier", flat=True))
    return [one for one in identifiers if one not in known]

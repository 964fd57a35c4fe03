"""Reading segments. A page asks once for those of its visitor, and only if something on it asks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import sha256
from typing import NamedTuple

from django.http import HttpRequest

from personalization.segments import preview
from personalization.segments.models import Membership, Segment, SegmentGroup

# What knows the segments of visitors without an account, as numbers and identifiers.
Source = Callable[[HttpRequest], "Segments"]
_of_visitors: list[Source] = []


class Segments(NamedTuple):
    """The segments of one visitor."""

    numbers: tuple[int, ...] = ()  # ascending
    identifiers: frozenset[str] = frozenset()


def group_of(identifier: str) -> SegmentGroup | None:
    return SegmentGroup.objects.filter(identifier=identifier).first()


def segment_of(identifier: str) -> Segment | None:
    return Segment.objects.filter(identifier=identifier).select_related("group").first()


def of_user(user: int) -> Segments:
    """The segments of a user, by primary key; one query."""
    rows = Membership.objects.filter(user=user).values_list("segment_id", "segment__identifier")
    found = sorted(rows)
    return Segments(tuple(number for number, _ in found), frozenset(name for _, name in found))


def of_visitors(source: Source) -> Source:
    """Register who knows the segments of visitors without an account."""
    _of_visitors.append(source)
    return source


def of_request(request: HttpRequest) -> Segments:
    """The segments of whoever looks at the page; what is answered with them depends on the visitor."""
    known: Segments | None = getattr(request, "_lodestar_segments", None)
    if known is None:
        known = request._lodestar_segments = read(request)  # type: ignore[attr-defined]
    return known


def read(request: HttpRequest) -> Segments:
    if (wanted := preview.asked_for(request)) is not None:
        return named(wanted)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return of_user(user.pk)
    found = [source(request) for source in _of_visitors]
    return Segments(
        tuple(sorted({number for one in found for number in one.numbers})),
        frozenset(name for one in found for name in one.identifiers),
    )


def named(identifiers: Collection[str]) -> Segments:
    """Segments by their identifiers; those that do not exist are left out."""
    rows = Segment.objects.filter(identifier__in=set(identifiers)).values_list("pk", "identifier")
    found = sorted(rows)
    return Segments(tuple(number for number, _ in found), frozenset(name for _, name in found))


def cache_key(request: HttpRequest) -> str:
    """The same text for visitors of the same segments, another for others: for keys of caches.

    SHA-256 of the identifiers in their order, in hex (reference `cdp.md` 4.5, caching law). The answer counts
    as one that read segments.
    """
    names = sorted(of_request(request).identifiers)
    return sha256("\0".join(names).encode()).hexdigest()


def was_read(request: HttpRequest) -> bool:
    return hasattr(request, "_lodestar_segments")

"""Segments of visitors without an account: those that mirror the audiences of their browser's id."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, NamedTuple

from django.core.cache import caches
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from cdp import configuration
from cdp.visitors import keeping, membership
from cdp.written import Membership
from personalization.client import pages, visitor
from personalization.segments.models import Segment
from personalization.segments.queries import Segments

logger = logging.getLogger("cdp")


class Source(NamedTuple):
    """Who knows the visitors of a site, and the groups whose segments mirror its audiences."""

    membership: Membership
    groups: frozenset[str]


def of_request(request: HttpRequest) -> Segments:
    """Nobody is asked for who must not be followed, and for who comes for the first time."""
    source = source_of(request)
    if source is None or not visitor.may_follow(request):
        return Segments()
    who = visitor.from_cookies(request)
    return Segments() if who is None else kept(who, source)


def source_of(request: HttpRequest) -> Source | None:
    """What the sites file says of it for the site of this page."""
    found = configuration.current()
    if not any(one.membership for one in found.sites.values()):
        return None
    site = pages.site_of(request)
    part = found.sites.get(site.name) if site else None
    if part is None or part.membership is None:
        return None
    own = {one.segment_group_identifier for one in part.activations}
    return Source(part.membership, frozenset(own or configuration.filled_groups()))


def kept(who: str, source: Source) -> Segments:
    """From the cache where that is on; an empty answer is kept too, a missing one is not."""
    how = keeping.current()
    if not how.enabled:
        return asked(who, source) or Segments()
    pool, key = caches[how.pool], key_of(who, source.membership)
    known: Segments | None = pool.get(key)
    if known is None:
        known = asked(who, source)
        if known is not None:
            pool.set(key, known, how.ttl)
    return known or Segments()


def asked(who: str, source: Source) -> Segments | None:
    """None when the platform does not answer; the page is made without."""
    try:
        audiences = membership.audiences_of(who, membership=source.membership)
    except membership.LeftAlone as fault:
        logger.debug("MembershipApiException: %s", fault)
        return None
    except membership.MembershipApiError as fault:
        logger.warning("MembershipApiException: %s", fault)
        return None
    return mirrored(audiences, groups=source.groups)


def mirrored(audiences: Collection[str], *, groups: Collection[str]) -> Segments:
    """The segments of some audiences in some groups."""
    wanted = set(audiences) - {""}
    if not wanted:
        return Segments()
    rows = Segment.objects.filter(audience__in=wanted, group__identifier__in=groups)
    found = sorted(rows.values_list("pk", "identifier"))
    return Segments(tuple(number for number, _ in found), frozenset(name for _, name in found))


def key_of(who: str, credentials: Membership) -> str:
    """Says nothing of the visitor to who reads the cache's files."""
    about = f"{credentials.endpoint} {credentials.activation_id} {who}"
    return "segments-of-" + salted_hmac("cdp.visitors", about, algorithm="sha256").hexdigest()[:40]


def forget(request: HttpRequest | None, **_about: Any) -> None:
    """A visitor who logs in is the user from now on, and another one after that."""
    if request is None:
        return
    source, who, how = source_of(request), visitor.from_cookies(request), keeping.current()
    if source is not None and who is not None and how.enabled:
        caches[how.pool].delete(key_of(who, source.membership))

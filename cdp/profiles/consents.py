"""What merging does to consents: who refused on one of two profiles has refused on both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from cdp.profiles.models import Consent

MERGED = "merge"
Newest = dict[int, dict[str, Consent]]  # profile -> purpose -> what counts


def newest_of(profiles: Iterable[int]) -> Newest:
    newest: Newest = defaultdict(dict)
    for row in Consent.objects.filter(profile__in=list(profiles)).order_by("given_at", "pk"):
        newest[row.profile_id][row.purpose] = row
    return newest


def restrict(losers: Mapping[int, int], newest: Newest) -> dict[int, list[int]]:
    """Loser -> keys of the refusals that were added, where the other one's newer word would have counted.

    ``newest``: as it was before the rows of the losers moved to the winners.
    """
    added: dict[int, list[int]] = defaultdict(list)
    for loser, winner in losers.items():
        for purpose, theirs in newest[loser].items():
            known = newest[winner].get(purpose)
            newest[winner][purpose] = counting = counts_of_both(known, theirs)
            last = max((one for one in (known, theirs) if one), key=lambda one: (one.given_at, one.pk))
            if last.status == Consent.Status.GRANTED != counting.status:
                added[loser].append(repeat(counting, winner).pk)
    return added


def counts_of_both(known: Consent | None, other: Consent) -> Consent:
    """The refusal of the two; the newer one where both refused, or neither did."""
    both = [one for one in (known, other) if one]
    return max(both, key=lambda one: (one.status != Consent.Status.GRANTED, one.given_at, one.pk))


def repeat(refusal: Consent, winner: int) -> Consent:
    return Consent.objects.create(
        profile_id=winner,
        purpose=refusal.purpose,
        status=refusal.status,
        given_at=timezone.now(),
        expires_at=None,
        source=MERGED,
        text_version=refusal.text_version,
    )


def lift(added: Sequence[int]) -> None:
    """Take the added refusals back once the two are parted."""
    Consent.objects.filter(pk__in=added, source=MERGED).delete()

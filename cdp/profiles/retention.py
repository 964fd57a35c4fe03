"""What is old goes (reference `cdp.md` 6.4): interactions, and profiles of people who are not heard of."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from cdp.profiles import accounts, attributes, contributions
from cdp.profiles.models import Account, Contribution, Interaction, Profile, Source
from config.jobs.schedule import periodic

BATCH = 5_000
DAY = 24 * 3600


@periodic("cdp.purge", every=DAY)
def purge_daily() -> None:
    purge()


def purge() -> dict[str, int]:
    """One pass; how many went of each."""
    counts = {"interactions": 0, "profiles": 0}
    for account in Account.objects.order_by("pk"):
        counts["interactions"] += purge_interactions(account)
        if settings.CDP_INACTIVE_DAYS:
            counts["profiles"] += purge_inactive(account, days=settings.CDP_INACTIVE_DAYS)
        for source in Source.objects.filter(account=account):
            contributions.tidy(source)  # which a crash may have left
    return counts


def purge_interactions(account: Account) -> int:
    """Those who did nothing else, and of whom nobody says anything, go with the last of theirs."""
    before = int(months_ago(settings.CDP_INTERACTION_MONTHS).timestamp()) * 1_000_000
    gone = 0
    events = Interaction.objects.filter(account=account).order_by().values_list("event", flat=True).distinct()
    for event in list(events):
        old = Interaction.objects.filter(account=account, event=event, ts__lt=before).order_by("ts")
        while page := list(old.values_list("pk", "profile")[:BATCH]):
            with accounts.locked(account):
                gone += Interaction.objects.filter(pk__in=[pk for pk, _profile in page]).delete()[0]
                attributes.drop_empty({profile for _pk, profile in page})
    return gone


def months_ago(months: int) -> datetime:
    now = timezone.now()
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def purge_inactive(account: Account, *, days: int) -> int:
    """Profiles that were not seen for so long and that no source describes."""
    before = timezone.now() - timedelta(days=days)
    said = Contribution.objects.filter(generation__gte=F("source__generation"), source__account=account)
    old = Profile.objects.filter(
        Q(last_seen__lt=before) | Q(last_seen=None, created_at__lt=before), account=account
    ).exclude(pk__in=said.values("identity__profile"))
    gone = 0
    while page := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with accounts.locked(account):
            Profile.objects.filter(pk__in=page).delete()
        gone += len(page)
    return gone

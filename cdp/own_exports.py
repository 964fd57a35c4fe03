"""How scheduled exports ended, for the people in charge of the account they go to.

Exports know no accounts of this installation; their account may as well be with another one.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from cdp import configuration
from cdp.export.signals import scheduled_ended
from cdp.profiles import accounts, insights
from cdp.profiles.models import Account

FAILED = "export_failed"


@receiver(scheduled_ended)
def note(*, place: str, account: int | None, error: str, **_more: Any) -> None:
    """A clean run closes what was open of its entry; see :data:`~cdp.export.signals.scheduled_ended`."""
    for one in concerned(account, error):
        if error:
            message = f"The scheduled export {place} failed: {error}"
            insights.report(one, code=FAILED, subject=place, message=message)
        else:
            insights.close(one, code=FAILED, subject=place)


def concerned(account: int | None, error: str) -> list[Account]:
    """The account, or those of all sites where the entry does not say whose it is.

    A run that went well also settles what was told to all of them.
    """
    numbers = sorted(configuration.current().accounts) if account is None or not error else [account]
    wanted = dict.fromkeys([*numbers, *([account] if account is not None else [])])
    return [found for number in wanted if (found := accounts.find(number)) is not None]

"""The doctor's questions about accounts, and what somebody should look at in each."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from cdp.profiles import accounts, insights
from config.checks import Finding, part


@part("customer data accounts")
def known() -> Iterator[Finding]:
    found = accounts.all_accounts()
    if not found:
        yield Finding(
            "accounts",
            "none; dataflows, audiences and activations need one: cdp.account_number in the sites file, or"
            " `manage.py cdp_account create`",
        )
        return
    matters = dict(insights.still_open().values_list("account").annotate(count=Count("pk")))
    for account in found:
        count = matters.get(account.pk, 0)
        remedy = "Look at Customer data > Operational Insights." if count else ""
        yield Finding(f"account {account.number}", f"{count or 'no'} Operational Insights are open", remedy)

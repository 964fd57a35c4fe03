"""What the demo has of a customer data platform: a segment group, and people whom a dataflow can tell of.

The people are the same in every demo. Where they live and when they were born stands nowhere but here: a
processor of the export adds it, as a project's own would from a table of its own.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from cdp.export import user_item_processor
from personalization.demo.build import Report, Step, register
from personalization.segments import changes
from personalization.segments.models import SegmentGroup

GROUP = "cdp_audiences"
# Nobody's address: the top-level domain is reserved (RFC 2606).
DOMAIN = "people.lodestar.example"
COUNT = 40
FIRST_NAMES = ("Ada", "Ben", "Chloé", "Deniz", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Okafor", "Lindqvist", "Moreau", "Schneider")
COUNTRIES = ("DK", "FR", "DE", "GB", "NO", "SE", "US")
OLDEST = date(1955, 3, 1)
DAYS_APART = 457  # from one birthday to the next: the youngest is of 2003


def login_of(number: int) -> str:
    return f"person{number:02d}"


def make_people(_report: Report) -> str:
    """Create the group and the people that are missing."""
    if not SegmentGroup.objects.filter(identifier=GROUP).exists():
        changes.create_group(identifier=GROUP, name="Audiences")
    users = get_user_model()
    known = set(users.objects.filter(email__endswith=f"@{DOMAIN}").values_list("username", flat=True))
    users.objects.bulk_create(
        users(
            username=login_of(number),
            email=f"{login_of(number)}@{DOMAIN}",
            first_name=FIRST_NAMES[number % len(FIRST_NAMES)],
            last_name=LAST_NAMES[number // len(FIRST_NAMES)],
            password=make_password(None),
        )
        for number in range(COUNT)
        if login_of(number) not in known
    )
    return f"{COUNT} people"


@user_item_processor(priority=-100)
def of_the_demo(row: dict[str, Any], user: Any) -> dict[str, Any]:
    """Country and date of birth of the demo's people; rows of others stay as they are."""
    name, _, domain = str(user.email).partition("@")
    number = name.removeprefix("person")
    if domain != DOMAIN or not number.isdecimal():
        return row
    born = OLDEST + timedelta(days=DAYS_APART * (int(number) * 7 % COUNT))
    return row | {"country": COUNTRIES[int(number) % len(COUNTRIES)], "date_of_birth": born}


register(Step(title="Making people for the data platform", run=make_people))

"""An audience on its way to the own site, and what the webhook took of it, with mouse and keyboard."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.flows.installation import Installation, eventually
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SECRET = "demo-secret-for-local-use-only-0000"

STATE = """
import json
from django.contrib.auth.models import User
from cdp.audiences.models import Audience
from cdp.profiles import accounts
from tests.cdp.activations import made

account = accounts.find(123456)
users = [User.objects.create_user(f"walker{n}", f"walker{n}@example.org") for n in range(3)]
people = [made.person(account, userid=user.pk) for user in users]
audience = made.audience(account, "walkers", *people[:2])
rule = {"type": "did", "event": "buy", "window": {"kind": "in_last", "n": 3, "unit": "day"}}
top = {"type": "group", "op": "and", "not": False, "children": [rule]}
Audience.objects.filter(pk=audience.pk).update(definition=top)
print(json.dumps([audience.pk, users[2].pk]))
"""
# A request of one action, which failed for good: a database that was full, say.
PARKED = """
from cdp.models import BulkBatch, BulkItem, WebhookRequest
from personalization.segments.models import Segment

segment = Segment.objects.get(identifier="walkers")
batch = BulkBatch.objects.create(client_id="demo-site", total=1, failed=1)
BulkItem.objects.create(
    batch=batch, client_id="demo-site", segment=segment.pk, user={user}, is_add=True, status="failed",
    attempts=4, error="OperationalError", available_at=batch.received_at,
)
WebhookRequest.objects.create(
    client_id="demo-site", request_id="parked-one", sha256="0" * 64, actions=1, status=202,
    answer={{"status": "queued", "batch": str(batch.pk), "queued": 1}},
)
"""
MEMBERS = """
from personalization.segments.models import Segment
print(Segment.objects.get(identifier="walkers").memberships.count())
"""


def test_it_goes_to_the_own_site_and_is_seen_there(page: Page, demo: Installation) -> None:
    audience, user = json.loads(demo.python(STATE).splitlines()[-1])
    log_in(page)
    page.goto(f"/admin/customer-data/activation/new/?audience={audience}")
    expect(page.get_by_label("Kind")).to_have_value("own:demo-site")
    expect(page.get_by_label("Person Identifier")).to_have_value("userid")
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.get_by_text(f"http://localhost:{demo.port}/cdp/webhook")).to_be_visible()
    page.get_by_role("button", name="Test connection").press("Enter")
    expect(page.locator(".messages")).to_contain_text("takes requests for this group (status 200)")
    assert SECRET not in page.content()
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.get_by_role("checkbox", name=re.compile("Walkers"))).to_be_checked()
    page.get_by_role("button", name="Create activation").press("Enter")
    expect(page.locator(".messages")).to_contain_text("was created")
    one = page.url

    def is_delivered() -> bool:
        page.goto(one)
        return "Everything is delivered." in page.locator("main").inner_text()

    eventually(is_delivered, what="the delivery")
    expect(page.get_by_role("row", name=re.compile("Walkers"))).to_contain_text("+2 −0")
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".messages")).to_contain_text("is being sent")
    page.locator("table").nth(1).get_by_role("link").first.click()
    expect(page.get_by_text("Authorization: Basic •••")).to_be_visible()
    request = page.locator("dd.cdp-code").first.inner_text()
    page.goto("/admin/customer-data/webhook/")
    expect(page.get_by_role("row", name=re.compile(request))).to_contain_text("2 applied")
    replay(page, demo, user)


def replay(page: Page, demo: Installation, user: int) -> None:
    """The one that was parked gets where it should be."""
    demo.python(PARKED.format(user=user))
    page.reload()
    page.get_by_role("link", name="parked-one").first.click()
    expect(page.get_by_role("row", name=re.compile("Add to Walkers"))).to_contain_text("OperationalError")
    parked = page.url
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("waits for the worker again")

    def is_settled() -> bool:
        page.goto(parked)
        return "All of its actions are settled" in page.locator("main").inner_text()

    eventually(is_settled, what="the replayed action")
    assert demo.python(MEMBERS).split()[-1] == "3"

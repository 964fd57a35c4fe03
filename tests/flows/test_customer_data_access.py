"""axe finds nothing serious on the screens of customer data, light and dark, wide and narrow."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.flows.installation import Installation
from tests.flows.test_accessibility import WIDE, serious
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STATE = """
import json
import orjson
from cdp.activations import changes as activating, deliver
from cdp.audiences import changes
from cdp.audiences.calculate import calculate
from cdp.dataflows import delivery, editing, lifecycle, mapping, schemas, stages, stream_ids, trial
from cdp.dataflows.delivery import Chunk
from cdp.dataflows.schemas import FieldSpec
from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.profiles import accounts
from cdp.profiles.models import Insight, PersonIdentifier, Profile
from config.jobs import queue
from personalization.segments import changes as segments

account = accounts.create(123456, name="Demo")

def send(flow, rows, draft):
    body = rows if isinstance(rows, bytes) else orjson.dumps(rows)
    kind = "application/octet-stream" if isinstance(rows, bytes) else "application/json"
    return delivery.take(flow, Chunk(body=body, content_type=kind, rows=2, is_draft=draft, is_final=True))

words = lifecycle.create(account, name="Words")
send(words, b"only some words", True)
editing.validate(words)
flow = lifecycle.create(account, name="Customers of the shop")
stream_ids.stream_id(flow)
rows = [{"id": 901, "city": "Oslo", "note": ""}, {"id": 902, "city": "Bergen", "note": "x"}]
send(flow, rows, True)
flow.refresh_from_db()
editing.validate(flow)
fields = [FieldSpec(one.name, one.type) for one in stages.in_hand(flow).columns]
schema = schemas.create(account, name="Shop customers", kind="personal", fields=fields, identifier="userid")
filled = mapping.proposed(schema, [one.name for one in fields])
given = {"fields": dict(filled.fields) | {"userid": "id"}}
editing.set_mappings(flow, [filled.model_copy(update=given)])
trial.test(flow)
lifecycle.activate(flow)
run = send(flow, [*rows, {"city": "nobody"}], False)
queue.run_due()
rule = {"type": "have", "attribute": "city", "op": "eq", "value": "Oslo"}
did = {"type": "did_not", "event": "buy", "window": {"kind": "in_last", "n": 3, "unit": "day"}}
top = {"type": "group", "op": "and", "not": False, "children": [rule, did]}
audience = changes.create(account, name="People in Oslo", definition=top)
calculate(audience)
activation, _ = activating.create(
    account, name="Files for the print shop", kind="csv", person_identifier="userid", audiences=[audience]
)
activating.mark(activation)
deliver.deliver(activation.pk)
batch = BulkBatch.objects.create(client_id="axe", total=1, failed=1)
BulkItem.objects.create(
    batch=batch, client_id="axe", segment=0, is_add=True, status="failed", attempts=4, error="No.",
    available_at=batch.received_at,
)
answer = {"status": "queued", "batch": str(batch.pk), "queued": 1}
received = WebhookRequest.objects.create(
    client_id="axe", request_id="axe", sha256="0" * 64, actions=1, status=202, answer=answer
)
group = segments.create_group(identifier="axe", name="Axe")
segments.create_segment(group, identifier="axe_one", name="Axe one")
person = Profile.objects.filter(attributes__city="Oslo").first()
found = flow.runs.get(number=run.run)
print(json.dumps({
    "words": words.pk, "flow": flow.pk, "run": found.pk, "schema": schema.pk, "audience": audience.pk,
    "identifier": PersonIdentifier.objects.get(account=account, name="coid").pk,
    "insight": Insight.objects.filter(code="rows_refused").latest("pk").pk,
    "activation": activation.pk, "person": str(person.uuid),
    "sent": activation.requests.get().pk, "received": received.pk,
}))
"""
SCREENS = [
    "dataflows/",
    "dataflow/new/",
    "dataflow/{words}/mapping/",
    "dataflow/{flow}/",
    "dataflow/{flow}/sure/clone/",
    "dataflow/{flow}/general/",
    "dataflow/{flow}/download/",
    "dataflow/{flow}/mapping/",
    "dataflow/{flow}/transform/?function=value_map",
    "dataflow/{flow}/activation/",
    "dataflow/{flow}/runs/{run}/",
    "schemas/",
    "schema/new/?dataflow={flow}",
    "schema/new/",
    "schema/{schema}/",
    "schema/{schema}/sure/clone/",
    "person-identifiers/",
    "person-identifier/new/",
    "person-identifier/{identifier}/",
    "insights/",
    "insight/{insight}/",
    "profiles/",
    "profile/{person}/",
    "profile/find/",
    "profile/{person}/merge/",
    "profile/{person}/erase/",
    "erasure/",
    "audiences/",
    "audience/new/",
    "audience/{audience}/",
    "audience/{audience}/history/",
    "audience/{audience}/why/",
    "activations/",
    "activation/new/",
    "activation/{activation}/",
    "activation/{activation}/requests/{sent}/",
    "webhook/",
    "webhook-request/{received}/",
    "segments/",
    "segment-groups/",
]


def state(demo: Installation) -> dict[str, str]:
    found: dict[str, str] = json.loads(demo.python(STATE).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def keys(demo: Installation) -> dict[str, str]:
    return state(demo)


def test_it_finds_nothing_serious(page: Page, keys: dict[str, str]) -> None:
    log_in(page)
    found = {}
    for path in SCREENS:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.goto(f"/admin/customer-data/{path.format(**keys)}")
        if path.startswith("audience/new"):
            page.get_by_text("Calculated").wait_for()
        found[path] = serious(page)
    assert {path: faults for path, faults in found.items() if faults} == {}

"""What the webhook refuses, and what it says then."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cdp.models import BulkItem, WebhookRequest
from personalization.segments.models import Membership, Segment, SegmentGroup
from tests.cdp.conftest import Platform

pytestmark = pytest.mark.django_db(transaction=True)


def changed(platform: Platform, **changes: Any) -> bytes:
    return orjson.dumps(platform.document(("add", "a", "1")) | changes)


ACTION = {"op": "add", "audience": "a", "person": "1"}
WRONG = {"id": "a", "identifier": "9", "name": "x"}
NAMED = {"id": "a", "identifier": "a", "name": "x"}
BAD = [
    (b"{", 400, "bad_json", ""),
    (b"[]", 400, "bad_json", "must be a JSON object"),
    ({"version": 2}, 422, "bad_document", "/version"),
    ({"request_id": ""}, 422, "bad_document", "/request_id"),
    ({"request_id": None}, 422, "bad_document", "/request_id"),
    ({"actions": [ACTION | {"op": "toggle"}]}, 422, "bad_document", "/actions/0/op"),
    ({"actions": [ACTION, ACTION | {"audience": "zz"}]}, 422, "bad_document", "/actions/1/audience"),
    ({"actions": [ACTION | {"person": ""}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION | {"person": True}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION | {"person": "a\u0000b"}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION] * 5001}, 422, "bad_document", "/actions"),
    ({"person_identifier": "shoe"}, 422, "bad_document", "/person_identifier"),
    ({"audiences": [NAMED | {"name": " "}], "actions": []}, 422, "bad_document", "/audiences/0/name"),
    ({"audiences": [NAMED | {"tags": ["a\0"]}], "actions": []}, 422, "bad_document", "/audiences/0/tags/0"),
    ({"audiences": [NAMED | {"updated_at": "0001-01-01"}]}, 422, "bad_document", "/audiences/0/updated_at"),
    ({"audiences": [WRONG]}, 422, "bad_document", "/audiences/0/identifier"),
    ({"segment_group_identifier": "others"}, 403, "segment_group_mismatch", ""),
]


@pytest.mark.case("V05")
@pytest.mark.parametrize(("change", "status", "code", "says"), BAD)
def test_it_says_what_is_wrong(
    platform: Platform, users: list[int], change: Any, status: int, code: str, says: str
) -> None:
    body = change if isinstance(change, bytes) else changed(platform, **change)
    answer = platform.post(body)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["code"] == code
    assert says in answer.json()["error"]["message"]
    for table in (Segment, Membership, BulkItem, WebhookRequest):
        assert not table._default_manager.exists()


def test_a_group_that_does_not_exist_is_named(platform: Platform, group: SegmentGroup) -> None:
    group.delete()
    answer = platform.send(("add", "a", "1"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "segment_group_unknown")


@pytest.mark.case("V03")
def test_it_takes_only_post_json_and_five_megabytes(platform: Platform) -> None:
    answer = platform.client.get("/cdp/webhook")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    answer = platform.client.post("/cdp/webhook", b"{}", content_type="text/plain", headers=platform.headers)
    assert answer.status_code == 415
    assert platform.post(b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    deep = b'{"version": 1, "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    assert platform.post(deep).status_code in (400, 422)
    assert platform.send(path="/x").status_code == 200
    assert platform.post(platform.document(), path="/cdp/webhook/").status_code == 200

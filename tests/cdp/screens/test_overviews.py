"""The lists of dataflows and schemas, and the page of a run ..."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cdp.dataflows import lifecycle, schemas, trial
from cdp.dataflows.models import Dataflow, Schema
from cdp.dataflows.schemas import FieldSpec
from cdp.profiles import accounts
from cdp.profiles.models import Account
from tests.cdp.dataflows.conftest import Feed
from tests.cdp.screens.conftest import somebody
from tests.cdp.screens.test_data_manager import is_refused, page, words

pytestmark = pytest.mark.django_db
DATAFLOWS, SCHEMAS = "/admin/customer-data/dataflows/", "/admin/customer-data/schemas/"


@pytest.fixture
def active(feed: Feed) -> Feed:
    feed.prepare()
    feed.activate()
    return feed


def listed(client: Client, address: str, **asked: Any) -> list[str]:
    return [one.name for one in client.get(address, asked).context["object_list"]]


def test_it_finds_and_sorts_dataflows(admin: Client, active: Feed) -> None:
    other = lifecycle.create(active.account, name="Goods", description="of the shop")
    schema = Schema.objects.get()
    assert listed(admin, DATAFLOWS, q="shop") == ["Goods"]
    assert listed(admin, DATAFLOWS, life="drafts") == ["Goods"]
    assert listed(admin, DATAFLOWS, life="in_force") == ["Users"]
    assert listed(admin, DATAFLOWS, status=["active", "paused"]) == ["Users"]
    assert listed(admin, DATAFLOWS, source="stream_file", ordering="name") == ["Goods", "Users"]
    assert listed(admin, DATAFLOWS, schema=schema.pk) == ["Users"]
    assert listed(admin, DATAFLOWS, ordering="created_at") == ["Users", "Goods"]
    lifecycle.archive(other)
    assert listed(admin, DATAFLOWS) == ["Users"]


def test_it_says_in_an_empty_list_what_it_is_for_and_what_to_do(admin: Client, feed: Feed) -> None:
    lifecycle.archive(feed.flow)
    looker = somebody("view_dataflow", "view_schema")
    for address, sentence, new in [
        (DATAFLOWS, "A dataflow takes in", "cdp_dataflow_new"),
        (SCHEMAS, "A schema says which fields", "cdp_schema_new"),
    ]:
        assert sentence in words(admin.get(address))
        assert f'class="button" href="{reverse(new)}"' in words(admin.get(address))
        assert sentence in words(looker.get(address))
        assert reverse(new) not in words(looker.get(address))
    flow = lifecycle.create(feed.account, name="New")
    assert "Send or upload data" in words(admin.get(reverse("cdp_dataflow", args=[flow.pk])))


def test_it_asks_the_database_as_often_for_many_rows_as_for_one(admin: Client, active: Feed) -> None:
    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert admin.get(address).status_code == 200
        return len(found)

    before = [asked(DATAFLOWS), asked(SCHEMAS)]
    for _ in range(4):
        lifecycle.clone(active.flow)
        schemas.clone(Schema.objects.first())
    assert [asked(DATAFLOWS), asked(SCHEMAS)] == before


def test_it_offers_what_fits_the_row_and_whoever_looks(admin: Client, active: Feed) -> None:
    def offered(client: Client) -> set[str]:
        text = words(client.get(DATAFLOWS))
        names = ("Details", "Edit", "Pause", "Resume", "Clone", "Delete")
        return {one for one in names if f'aria-label="{one}: Users"' in text}

    assert offered(admin) == {"Details", "Edit", "Pause", "Clone", "Delete"}
    lifecycle.pause(active.flow)
    assert offered(admin) == {"Details", "Edit", "Resume", "Clone", "Delete"}
    assert offered(somebody("view_dataflow")) == {"Details"}
    changer = somebody("view_dataflow", "change_dataflow")
    assert offered(changer) == {"Details", "Edit", "Clone", "Delete"}
    for action, status in [("resume", 404), ("pause", 404), ("nonsense", 404), ("delete", 200)]:
        address = reverse("cdp_dataflow_sure", args=[active.flow.pk, action])
        assert changer.get(address).status_code == status
    assert is_refused(somebody("view_schema").get(address))
    assert Dataflow.objects.get().status == "paused"


def test_it_says_of_a_schema_who_fills_it_and_who_changed_it(admin: Client, active: Feed) -> None:
    schema = Schema.objects.get()
    assert "System" in words(admin.get(SCHEMAS))
    copy = lifecycle.clone(active.flow)
    assert "Users +1" in words(admin.get(SCHEMAS))
    page(admin, reverse("cdp_schema", args=[schema.pk]), action="add", name="zip", type="string")
    assert Schema.objects.get().changed_by == User.objects.get(username="boss")
    assert "boss" in words(admin.get(SCHEMAS))
    lifecycle.archive(active.flow)
    answer = words(admin.get(reverse("cdp_schema", args=[schema.pk])))
    assert "Users (deleted)" in answer
    assert reverse("cdp_dataflow", args=[active.flow.pk]) not in answer
    assert reverse("cdp_dataflow", args=[copy.pk]) in answer


def test_it_clones_a_schema_and_deletes_one_that_nothing_uses(admin: Client, active: Feed) -> None:
    schema = Schema.objects.get()
    page(admin, reverse("cdp_schema", args=[schema.pk]), action="clone")
    copy = Schema.objects.exclude(pk=schema.pk).get()
    shape = ("name", "type", "mandatory", "locked")
    assert list(copy.fields.values_list(*shape)) == list(schema.fields.values_list(*shape))
    assert copy.identifier == "userid"
    assert admin.get(reverse("cdp_schema_sure", args=[schema.pk, "delete"])).status_code == 404
    assert "is gone for good" in words(admin.get(reverse("cdp_schema_sure", args=[copy.pk, "delete"])))
    page(admin, reverse("cdp_schema", args=[copy.pk]), action="delete")
    assert list(Schema.objects.all()) == [schema]


def test_it_says_equal_faults_of_a_run_once_with_their_rows(admin: Client, active: Feed) -> None:
    wrong = [{"id": n, "login": "x", "city": ["?"], "email": None} for n in range(1, 21)]
    run = active.deliver([*wrong, {"id": "", "login": "nobody"}])
    answer = words(admin.get(reverse("cdp_dataflow_run", args=[active.flow.pk, run.pk])))
    assert answer.count("type_mismatch") == 1
    assert "The value of city does not fit its type (text)." in answer
    assert "<td>20</td><td>1, 2, 3, 4, 5, 6, 7, 8, …</td>" in answer
    assert "id is empty, so nobody knows whose row it is." in answer
    assert answer.index("identifier_missing") < answer.index("type_mismatch")


def test_it_has_no_warning_for_lists_that_are_empty(admin: Client, feed: Feed) -> None:
    rows = [{"id": n, "companies": []} for n in range(1, 42)]
    feed.prepare(rows)
    assert trial.test(feed.flow).run.warned == 0
    feed.activate()
    assert feed.deliver(rows).warned == 0


def test_it_tells_drafts_from_live_runs(admin: Client, active: Feed) -> None:
    run = active.deliver([{"id": 1}])
    sample = active.flow.runs.get(kind="sample")
    for one, word, not_that in [(run, "Live", "Draft"), (sample, "Draft", "Live")]:
        answer = words(admin.get(reverse("cdp_dataflow_run", args=[active.flow.pk, one.pk])))
        assert f">{word}</span>" in answer
        assert f">{not_that}</span>" not in answer


def test_it_moves_transformations_as_far_as_they_can_be(admin: Client, feed: Feed) -> None:
    feed.prepare()
    address = f"/admin/customer-data/dataflow/{feed.flow.pk}/transform/"
    for output in ("a", "b"):
        page(admin, address, action="add_transformation", function="upper", inputs="login", output=output)

    def order() -> list[str]:
        return [one["output"] for one in Dataflow.objects.get().configuration["transformations"]]

    page(admin, address, action="lower_transformation", place="0")
    assert order() == ["b", "a"]
    for action, place in [("raise", "0"), ("lower", "1"), ("raise", "7"), ("raise", "x"), ("lower", "-1")]:
        page(admin, address, action=f"{action}_transformation", place=place)
        assert order() == ["b", "a"]


def test_it_counts_the_rows_of_a_file_and_not_its_lines(admin: Client, feed: Feed) -> None:

    address = f"/admin/customer-data/dataflow/{feed.flow.pk}/download/"
    for name, body, rows in [
        ("u.csv", b"id,city\n1,Oslo\n\n2,Bergen\n", 2),
        ("u.json", b'[\n{"id": 1},\n{"id": 2},\n{"id": 3}\n]', 3),
    ]:
        file = SimpleUploadedFile(name, body)
        answer = page(admin, address, action="upload", mode="draft", file=file)
        assert f"{rows} rows were delivered" in words(answer)
        assert feed.flow.runs.get(kind="sample").received == rows


def test_it_keeps_the_fields_of_a_schema_that_was_refused(admin: Client, account: Account) -> None:
    other = accounts.create(654321, name="Other")
    schemas.create(
        other, name="Theirs", kind="personal", fields=[FieldSpec("a", "string")], identifier="userid"
    )
    typed = {"field-0": "sku", "field-1": "price", "type-1": "decimal", "kind": "catalog", "name": "Goods"}
    answer = page(admin, reverse("cdp_schema_new"), action="save", account=account.pk, **typed)
    assert answer.status_code == 422
    assert 'name="field-1" value="price"' in words(answer)
    assert "Theirs" not in words(answer)
    assert "Theirs" in words(admin.get(reverse("cdp_schema_new"), {"account": other.pk}))

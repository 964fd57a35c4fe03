"""The Data Manager ..."""

from __future__ import annotations

import csv
import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from cdp.dataflows import editing, stages, stream_ids, upload
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Run, Schema
from cdp.profiles.models import Account
from config import site_access
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.screens.conftest import somebody

pytestmark = pytest.mark.django_db
HOME = "/admin/customer-data/dataflow"
NDJSON = "application/x-ndjson"


def page(client: Client, address: str, **posted: Any) -> Any:
    return client.post(address, posted, follow=True) if posted else client.get(address)


def words(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.case("D07")
def test_it_leads_through_the_five_stages(admin: Client, account: Account) -> None:
    answer = page(
        admin, f"{HOME}/new/", action="save", account=account.pk, name="Users", source="stream_file"
    )
    flow = Dataflow.objects.get()
    assert answer.redirect_chain[-1][0] == f"{HOME}/{flow.pk}/download/"
    stream = stream_ids.stream_id(flow)
    assert stream in words(answer)
    assert "Waiting for data" in words(answer)

    feed = Feed.__new__(Feed)
    feed.account, feed.flow, feed.stream_id, feed.client = account, flow, stream, Client()
    feed.post(USERS, draft=True)
    assert "Received 2 rows as a draft" in page(admin, f"{HOME}/{flow.pk}/received/").json()["html"]
    answer = page(admin, f"{HOME}/{flow.pk}/download/", action="validate")
    assert answer.redirect_chain[-1][0] == f"{HOME}/{flow.pk}/mapping/"
    assert "The draft of 2 rows is fine and is the sample now." in words(answer)
    flow.refresh_from_db()
    assert flow.status == "validated"
    assert [f'value="{one}"' in words(answer) for one in ("id", "login", "email", "city")] == [True] * 4
    assert "ada@example.org" in words(answer)

    columns = {f"name-{n}": name for n, name in enumerate(["id", "nick", "email", "city"])}
    kept = {f"included-{n}": "on" for n in range(3)}
    answer = page(
        admin, f"{HOME}/{flow.pk}/mapping/", action="save", **columns, **kept, **{"mandatory-0": "on"}
    )
    assert answer.redirect_chain[-1][0] == f"{HOME}/{flow.pk}/transform/"
    flow.refresh_from_db()
    assert [(one.name, one.mandatory, one.included) for one in stages.in_hand(flow).columns] == [
        ("id", True, True),
        ("nick", False, True),
        ("email", False, True),
        ("city", False, False),
    ]

    creator = f"{reverse('cdp_schema_new')}?dataflow={flow.pk}"
    answer = page(
        admin,
        creator,
        action="save",
        kind="personal",
        name="People",
        columns=["id", "nick", "email"],
        identifier="userid",
    )
    schema = Schema.objects.get()
    assert answer.redirect_chain[-1][0] == f"{HOME}/{flow.pk}/transform/"
    assert "Map a column to userid of schema People." in words(answer)

    answer = page(
        admin,
        f"{HOME}/{flow.pk}/transform/",
        action="add_transformation",
        function="upper",
        inputs="nick",
        output="",
    )
    assert "upper(nick)" in words(answer)
    fields = {f"map-{schema.pk}-{one}": one for one in ("id", "nick", "email")}
    answer = page(
        admin,
        f"{HOME}/{flow.pk}/transform/",
        action="save",
        **fields,
        **{f"map-{schema.pk}-userid": "id", f"mode-{schema.pk}": "append"},
    )
    assert answer.redirect_chain[-1][0] == f"{HOME}/{flow.pk}/activation/"

    answer = page(admin, f"{HOME}/{flow.pk}/activation/", action="activate")
    assert answer.status_code == 422
    assert "Run the test first" in words(answer)
    answer = page(admin, f"{HOME}/{flow.pk}/activation/", action="test")
    assert "The test passed: 2 rows are fine" in words(answer)
    assert "ADA" in words(answer)
    feed.post(USERS)
    answer = page(admin, f"{HOME}/{flow.pk}/activation/", action="activate")
    assert "1 held delivery is being processed" in words(answer)
    feed.work()
    assert feed.facts()["14"] == {"id": 14, "nick": "ADA", "email": "ada@example.org"}
    assert flow.name in words(page(admin, "/admin/customer-data/dataflows/"))
    assert "People" in words(page(admin, "/admin/customer-data/schemas/"))


@pytest.mark.case("D03")
def test_it_opens_no_stage_before_the_one_before_it_is_complete(admin: Client, feed: Feed) -> None:
    for stage in ("mapping", "transform", "activation"):
        answer = admin.get(f"{HOME}/{feed.flow.pk}/{stage}/")
        assert (answer.status_code, answer["Location"]) == (302, f"{HOME}/{feed.flow.pk}/download/")


@pytest.mark.case("D05")
def test_it_shows_what_is_held_and_still_asks_for_a_draft(admin: Client, feed: Feed) -> None:
    feed.post(USERS)
    with pytest.raises(DataflowFault) as fault:
        editing.validate(feed.flow)
    assert fault.value.code == "no_sample"
    answer = page(admin, f"{HOME}/{feed.flow.pk}/download/", action="validate")
    assert answer.status_code == 422
    assert "Nothing has arrived as a draft yet" in words(answer)
    assert "rows 2" in page(admin, f"{HOME}/{feed.flow.pk}/received/").json()["html"]
    overview = words(page(admin, f"{HOME}/{feed.flow.pk}/"))
    assert "<td>Held" in overview
    assert "                        <td>2</td>" in overview
    assert Run.objects.get().state == "held"


def test_it_says_what_is_wrong_with_a_file_and_keeps_what_was_typed(admin: Client, feed: Feed) -> None:
    address = f"{HOME}/{feed.flow.pk}/download/"
    answer = page(admin, address, action="validate")
    assert answer.status_code == 422
    assert "Nothing has arrived as a draft yet" in words(answer)
    feed.post([{"id": 1, "note": ""}], draft=True)
    page(admin, address, action="validate")
    address = f"{HOME}/{feed.flow.pk}/mapping/"
    answer = page(admin, address, action="save", **{"name-0": "9lives", "name-1": "note"})
    assert answer.status_code == 422
    assert "does not begin with a digit" in words(answer)
    assert 'value="9lives"' in words(answer)
    assert "disabled" in words(answer)


@pytest.mark.case("D19")
def test_it_asks_for_options_of_a_file_that_it_does_not_know(admin: Client, feed: Feed) -> None:
    feed.post(b"one two\nthree four\n", draft=True, content_type="application/octet-stream")
    address = f"{HOME}/{feed.flow.pk}/mapping/"
    answer = page(admin, f"{HOME}/{feed.flow.pk}/download/", action="validate")
    assert "not recognised" in words(answer)
    assert 'name="delimiter"' in words(answer)
    answer = page(admin, address, action="save")
    assert (answer.status_code, "Press Parse File first." in words(answer)) == (422, True)
    options = {"format": "csv", "delimiter": " ", "encoding": "utf-8", "quote": '"', "escape": "doubled"}
    more = {"skip_rows": "0", "decimal": ".", "header": ""}
    wrong = page(admin, address, action="parse", **options | more | {"skip_rows": "x"})
    assert wrong.status_code == 422
    answer = page(admin, address, action="parse", **options | more)
    assert "column_2" in words(answer)
    answer = page(admin, address, action="save", **options | more | {"skip_rows": "1"})
    assert "press Parse File" in words(answer)
    assert stages.missing(Dataflow.objects.get()).problems["mapping"][0].code == "parse_required"


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "columns"),
    [
        ("u.csv", "id;stadt\n1;Köln\n".encode("windows-1252"), ["id", "stadt"]),
        ("u.json", b'{"rows": [{"id": 1}, {"id": 2}]}', ["id"]),
        ("u.ndjson", b'{"id": 1}\n{"id": 2}\n', ["id"]),
        ("u.xlsx", workbook(["id", "name", None], [1, "Ada", None], [2, "Bob", None]), ["id", "name"]),
    ],
)
def test_it_takes_a_file_as_the_sample(
    admin: Client, feed: Feed, name: str, body: bytes, columns: list[str]
) -> None:
    address = f"{HOME}/{feed.flow.pk}/download/"
    answer = page(admin, address, action="upload", mode="draft", file=SimpleUploadedFile(name, body))
    assert answer.status_code == 200, words(answer)
    page(admin, address, action="validate")
    assert [one.source for one in stages.in_hand(Dataflow.objects.get()).columns] == columns


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("u.exe", b"MZ", "Upload one of"),
        ("u.xlsx", b"no workbook", "no workbook"),
        ("u.xlsx", workbook(["id", "id"], [1, 2]), "Two columns are called"),
        ("u.xlsx", workbook([None]), "has no names"),
    ],
)
def test_it_refuses_files_that_are_none(
    admin: Client, feed: Feed, name: str, body: bytes, sentence: str
) -> None:
    address = f"{HOME}/{feed.flow.pk}/download/"
    answer = page(admin, address, action="upload", mode="draft", file=SimpleUploadedFile(name, body))
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not Run.objects.exists()


def test_it_does_not_open_a_workbook_that_unpacks_to_too_much(
    admin: Client, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    address = f"{HOME}/{feed.flow.pk}/download/"
    file = SimpleUploadedFile("u.xlsx", stored.getvalue())
    answer = page(admin, address, action="upload", mode="production", file=file)
    assert "it was not opened" in words(answer)
    monkeypatch.setattr(upload, "MOST_RATIO", 10_000)
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bytes(upload.MOST_UNPACKED + 1))
    assert upload.MOST_UNPACKED <= 200 * 2**20
    file = SimpleUploadedFile("u.xlsx", stored.getvalue())
    answer = page(admin, address, action="upload", mode="production", file=file)
    assert "it was not opened" in words(answer)


def test_it_hands_out_refused_rows_that_no_spreadsheet_runs(admin: Client, active: Feed) -> None:
    done = active.deliver([{"id": 1}, {"id": "", "login": "=1+1", "city": "-5"}, {"id": 3}])
    answer = page(admin, f"{HOME}/{active.flow.pk}/runs/{done.pk}/")
    assert "identifier_missing" in words(answer)
    assert "row refused" in words(answer)
    answer = admin.get(f"{HOME}/{active.flow.pk}/runs/{done.pk}/refused/")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows == [{"id": "", "login": "'=1+1", "city": "-5"}]
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("u.csv", b"id,login\n1,a\n2,b,c\n3,d\n", "2,b,c"),
        ("u.xlsx", workbook(["id", "login", None], [1, "a", None], [2, "b", "c"], [3, "d"]), '[2, "b", "c"]'),
        ("u.ndjson", b'{"id": 1}\nhttps://x\n{"id": 3}\n', "https://x"),
    ],
)
def test_it_hands_out_what_is_no_row_and_takes_the_others(
    admin: Client, feed: Feed, name: str, body: bytes, text: str
) -> None:
    sample = b"id,login\n14,ada\n" if name.endswith("csv") else USERS
    if name.endswith("ndjson"):
        feed.post(b'{"id": 1, "login": "a"}\n{"id": 2, "login": "b"}\n', draft=True, content_type=NDJSON)
    else:
        kind = "text/csv" if name.endswith("csv") else "application/json"
        feed.post(sample, draft=True, content_type=kind)
    editing.validate(feed.flow)
    feed.map(feed.schema())
    feed.activate()
    file = SimpleUploadedFile(name, body)
    address = f"{HOME}/{feed.flow.pk}/download/"
    answer = page(admin, address, action="upload", mode="production", file=file)
    assert "3 rows were delivered" in words(answer)
    feed.work()
    done = Run.objects.get(kind="production")
    assert (done.state, done.received, done.failed) == ("partial", 3, 1)
    assert done.errors.get().code == ("not_object" if name.endswith("ndjson") else "ragged_row")
    assert set(feed.facts()) == {"1", "3"}
    answer = admin.get(f"{HOME}/{feed.flow.pk}/runs/{done.pk}/refused/")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows == [{"unreadable": text}]


def test_it_pauses_resumes_clones_and_deletes(admin: Client, active: Feed) -> None:
    address = f"{HOME}/{active.flow.pk}/"
    for action, status in [("pause", "paused"), ("resume", "active")]:
        assert page(admin, address, action=action).status_code == 200
        assert Dataflow.objects.get().status == status
    page(admin, address, action="clone")
    assert Dataflow.objects.filter(name="Users 2", status="draft").exists()
    sure = page(admin, f"{address}sure/delete/")
    assert "Remove what it stored too" in words(sure)
    assert "Remove" not in words(page(admin, f"{address}sure/pause/"))
    active.deliver(USERS)
    page(admin, address, action="delete", more="on")
    active.work()
    assert active.facts() == {}
    assert Dataflow.objects.get(pk=active.flow.pk).status == "archived"
    assert admin.get(address).status_code == 404


def test_it_cancels_a_run_for_those_who_may_activate(admin: Client, active: Feed) -> None:
    address = f"{HOME}/{active.flow.pk}/"
    active.post(USERS, run=uuid.uuid4())
    active.work()
    run = Run.objects.get(kind="production")
    looker = somebody("view_dataflow", "change_dataflow")
    for where in (address, f"{address}runs/{run.pk}/"):
        assert "Cancel run" in words(page(admin, where))
        assert "Cancel run" not in words(page(looker, where))
    assert looker.post(f"{address}runs/{run.pk}/", {"action": "cancel"}).status_code in (302, 403)
    run.refresh_from_db()
    assert run.state == "running"
    answer = page(admin, f"{address}runs/{run.pk}/", action="cancel")
    assert "The run was cancelled." in words(answer)
    assert "Cancel run" not in words(answer)
    assert Run.objects.get(pk=run.pk).state == "cancelled"
    answer = page(admin, f"{address}runs/{run.pk}/", action="cancel")
    assert (answer.status_code, "over already" in words(answer)) == (422, True)


@pytest.fixture
def active(feed: Feed) -> Feed:
    feed.prepare()
    feed.activate()
    return feed


def test_it_shows_and_does_only_what_somebody_may(feed: Feed, active: Feed) -> None:
    address = f"{HOME}/{active.flow.pk}/"
    assert is_refused(somebody().get(address))
    looker = somebody("view_dataflow")
    assert looker.get(address).status_code == 200
    assert "Delete" not in words(looker.get(address))
    for stage, action in [
        ("", "pause"),
        ("", "clone"),
        ("", "delete"),
        ("general/", "save"),
        ("download/", "rotate"),
        ("mapping/", "parse"),
        ("activation/", "test"),
    ]:
        assert is_refused(looker.post(f"{address}{stage}", {"action": action}))
    assert is_refused(looker.get(f"{HOME}/new/"))
    changer = somebody("view_dataflow", "change_dataflow")
    assert is_refused(changer.post(address, {"action": "pause"}))
    assert "Location" in changer.post(address, {"action": "clone"}).headers
    assert Client().get(address)["Location"].startswith("/admin/login/")
    assert Dataflow.objects.filter(name="Users 2").count() == 1
    assert Dataflow.objects.get(pk=active.flow.pk).status == "active"


def is_refused(answer: Any) -> bool:
    """Without the permission; the page says which."""
    return bool(answer.status_code == 403)


def test_its_stream_id_is_for_those_who_may_change_it(feed: Feed) -> None:
    looker = somebody("view_dataflow")
    assert feed.stream_id not in words(looker.get(f"{HOME}/{feed.flow.pk}/download/"))


def test_a_schema_grows_on_its_page(admin: Client, active: Feed) -> None:
    schema = Schema.objects.get()
    address = reverse("cdp_schema", args=[schema.pk])
    page(admin, address, action="add", name="zip", type="string")
    assert schema.fields.filter(name="zip").exists()
    answer = page(admin, address, action="remove_field", field=schema.fields.get(name="zip").pk)
    assert answer.status_code == 422
    assert "fields can be added" in words(answer)
    page(admin, address, action="rename", name="Everybody")
    assert Schema.objects.get().name == "Everybody"
    assert "is filled by a dataflow" in words(page(admin, address, action="delete"))


def test_a_schema_is_made_from_nothing_too(admin: Client, account: Account) -> None:
    fields = {"field-0": "sku", "type-0": "string", "field-1": "price", "type-1": "decimal"}
    answer = page(
        admin,
        reverse("cdp_schema_new"),
        action="save",
        account=account.pk,
        kind="catalog",
        name="Goods",
        key="sku",
        **fields,
    )
    schema = Schema.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("cdp_schema", args=[schema.pk])
    assert list(schema.fields.values_list("name", "type", "mandatory")) == [
        ("sku", "string", True),
        ("price", "decimal", False),
    ]
    page(
        admin,
        reverse("cdp_schema", args=[schema.pk]),
        action="change",
        field=schema.fields.last().pk,
        type="string",
    )
    assert schema.fields.last().type == "string"
    page(admin, reverse("cdp_schema", args=[schema.pk]), action="delete")
    assert not Schema.objects.exists()


def test_wagtails_own_forms_are_not_there(admin: Client, active: Feed) -> None:
    for part in ("dataflows", "schemas", "audiences", "activations", "profiles"):
        assert admin.get(f"/admin/customer-data/{part}/").status_code == 200
        for more in ("new/", f"edit/{active.flow.pk}/", f"delete/{active.flow.pk}/"):
            assert admin.get(f"/admin/customer-data/{part}/{more}").status_code == 404


def test_what_people_are_is_for_those_who_may_see_people(active: Feed) -> None:
    done = active.deliver([{"id": "", "login": "secret"}, {"id": 1}, {"id": 2}])
    address = f"{HOME}/{active.flow.pk}"
    looker = somebody("view_dataflow")
    assert is_refused(looker.get(f"{address}/runs/{done.pk}/refused/"))
    assert "ada@example.org" not in words(looker.get(f"{address}/mapping/"))
    assert "ada@example.org" in words(somebody("view_dataflow", "view_profile").get(f"{address}/mapping/"))


def test_a_schema_of_a_dataflow_is_made_by_those_who_may_change_it(feed: Feed) -> None:
    address = f"{reverse('cdp_schema_new')}?dataflow={feed.flow.pk}"
    assert is_refused(somebody("view_schema", "change_schema").get(address))
    assert somebody("change_schema", "change_dataflow").get(address).status_code == 200


def test_it_says_so_where_there_is_no_account(admin: Client, tmp_path: Path, settings: Any) -> None:
    settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text("personalization: {system: {default: {}}}\n")
    site_access.reload()
    for name in ("cdp_activation_new", "cdp_schema_new"):
        assert leads_home(admin.get(reverse(name)))
    assert admin.get(reverse("cdp_dataflow_new")).status_code == 200
    assert admin.get(reverse("cdp_audience_new")).status_code == 200
    assert leads_home(admin.get(f"{reverse('cdp_activation_new')}?audience=abc"))


def leads_home(answer: Any) -> bool:
    """There is nothing to show it on."""
    return (answer.status_code, answer.headers.get("Location")) == (302, reverse("wagtailadmin_home"))

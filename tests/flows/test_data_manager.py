"""Every button and every field of the Data Manager, each with the rows that it changed ..."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.flows.conftest import opened
from tests.flows.hand import Hand
from tests.flows.installation import Installation, eventually
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ACCOUNT = 123456
LIST = (
    *("Add dataflow", "Add schema", r"\[q\]", "Show filters", "More options for '.+'"),
    *("Draft or in force", "Status", "Source", "Schema", "Account", "Parent", "Back", "Clear"),
    *(r"\[life\]", r"\[status\]", r"\[source\]", r"\[schema\]", r"\[account\]", r"\[kind\]"),
    *("Details: .+", "Edit: .+", "Pause: .+", "Resume: .+", "Clone: .+", "Delete: .+", "Cancel"),
    r"\[more\]",
)
STAGES = (
    *("Save", "Save and go on", "Copy", "Validate & download", "Rotate the stream id", "Upload"),
    *(r"\[name\]", r"\[destination\]", r"\[description\]", r"\[file\]", r"\[mode\]"),
    *("Parse File", r"\[(format|records_path|encoding|delimiter|quote|escape|header|skip_rows)\]"),
    *(r"\[(null_tokens|decimal|date_formats)\]", r"\[name-\d+\]", r"\[type-\d+\]"),
    *(r"\[mandatory-\d+\]", r"\[included-\d+\]", r"\[ignore_missing\]"),
    *("Choose", r"\[function\]", r"\[inputs\]", r"\[param-\w+\]", r"\[output\]", r"\[on_error\]"),
    *("Add transformation", r"Move transformation \d up", r"Move transformation \d down"),
    *(r"Remove transformation \d", "Create schema based on the downloaded columns", "Do not fill .+"),
    *(r"\[map-\d+-\w+\]", r"\[mode-\d+\]", r"\[empty-\d+\]"),
    *("Test", "Run once", "Run and activate", "Put the changes in force"),
    *(r"\[schedule\]", "Save schedule"),
)
OF_A_DATAFLOW = (
    "Go to the first error",
    *("Settings and commands", "Go on with .+", "Send or upload data", "Pause", "Resume", "Clone", "Delete"),
    *("Download the refused rows", r"Cancel run\s.+"),
)
OF_A_SCHEMA = (
    *("Create schema", r"\[identifier\]", r"\[key\]", r"\[columns\]", r"\[field-\d\]", r"\[type\]"),
    *(r"\[mandatory\]", "Save .+", "Remove .+", "Add field", "Rename"),
)
# What only an empty installation shows is driven in tests/cdp/screens.
NOT_HERE = ("Create the first dataflow", "Create the first schema")

PEOPLE = [{"id": 1, "nick": "ann", "city": "Oslo"}, {"id": 2, "nick": "bob", "city": "Bergen"}]
WORDS = (
    b"people of the ladder\nid~nick~born~points~note\n1~'ann'~01.02.1990~1,5~x\n2~'bob'~03.04.1991~2,5~none\n"
)


class Rows:
    """What stands in the database."""

    def __init__(self, demo: Installation) -> None:
        self.file = demo.var_dir / "lodestar.sqlite3"

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file, timeout=30)) as database:
            return list(database.execute(sql, values).fetchall())

    def one(self, sql: str, *values: Any) -> Any:
        [(found,)] = self.ask(sql, *values)
        return found

    def flow(self, key: int, column: str) -> Any:
        return self.one(f"SELECT {column} FROM dataflows_dataflow WHERE id = ?", key)  # noqa: S608

    def settings(self, key: int, column: str = "configuration") -> Any:
        return json.loads(self.flow(key, column))

    def runs(self, key: int, kind: str) -> list[tuple[Any, ...]]:
        sql = "SELECT state, received, failed, removed FROM dataflows_run WHERE dataflow_id = ? AND kind = ?"
        return self.ask(f"{sql} ORDER BY id", key, kind)

    def stored(self, key: int) -> list[Any]:
        """What the dataflow says of people, as of now."""
        sql = (
            "SELECT c.data FROM profiles_contribution c JOIN profiles_source s ON s.id = c.source_id"
            " AND s.generation = c.generation WHERE s.name LIKE ? ORDER BY c.identity_id"
        )
        found = self.ask(sql, f"dataflow:{key}:schema:%")
        return [{name: pair[0] for name, pair in json.loads(data).items()} for (data,) in found]

    def fields(self, schema: str) -> list[tuple[Any, ...]]:
        sql = (
            "SELECT f.name, f.type, f.mandatory FROM dataflows_schemafield f JOIN dataflows_schema s"
            " ON s.id = f.schema_id WHERE s.name = ? ORDER BY f.position, f.id"
        )
        return self.ask(sql, schema)


class Feed:
    """A dataflow of the demo, and whoever sends into it."""

    def __init__(self, demo: Installation, rows: Rows, key: int, stream: str = "") -> None:
        self.demo, self.rows, self.key, self.stream = demo, rows, key, stream

    def send(self, people: list[dict[str, Any]], *, draft: bool = False, run: str = "") -> int:
        """``run``: the first chunk of one that never ends."""
        headers = {"x-streamid": self.stream} | ({"x-isdraft": "true"} if draft else {})
        headers |= {"x-run-id": run} if run else {}
        answer = requests.post(f"{self.demo.base}/stream/{ACCOUNT}", json=people, headers=headers, timeout=60)
        return answer.status_code

    def ends(self, kind: str, count: int) -> list[tuple[Any, ...]]:
        """Its runs of a kind, once so many have ended."""

        def ended() -> list[tuple[Any, ...]]:
            found = self.rows.runs(self.key, kind)
            waiting = [one for one in found if one[0] in ("held", "queued", "running")]
            return found if len(found) >= count and not waiting else []

        found = eventually(ended, seconds=60, what=f"{count} runs of {kind}")
        assert isinstance(found, list)
        return found


@pytest.fixture
def page(browser: Browser, demo: Installation) -> Iterator[Page]:
    """What somebody got wrong is answered with 422, which the console mentions."""
    with opened(browser, demo, but="422") as found:
        yield found


def test_every_button_does_what_it_says(page: Page, demo: Installation, tmp_path: Path) -> None:
    hand = Hand(page, [*LIST, *STAGES, *OF_A_DATAFLOW, *OF_A_SCHEMA, *NOT_HERE])
    rows = Rows(demo)
    log_in(page)
    feed = names_it(hand, demo, rows)
    takes_in_data(hand, feed)
    says_how_a_file_is_read(hand, feed)
    names_columns(hand, feed)
    transforms(hand, feed)
    makes_schemas(hand, feed)
    maps(hand, feed)
    tries_and_runs(hand, feed)
    activates(hand, feed)
    downloads_what_was_refused(hand, feed, tmp_path)
    changes_what_is_in_force(hand, feed)
    pauses_and_resumes(hand, feed)
    cancels_runs(hand, feed)
    finds_it_in_the_list(hand, feed)
    works_from_the_list(hand, feed)
    changes_a_schema(hand, rows)
    assert hand.unused == set(NOT_HERE)


def names_it(hand: Hand, demo: Installation, rows: Rows) -> Feed:
    hand.go("dataflows/")
    hand.press("Add dataflow")
    hand.choose("account", str(rows.one("SELECT id FROM profiles_account WHERE number = ?", ACCOUNT)))
    hand.fill(name=" Ladder ", description="first")
    hand.choose("source", "stream_file")
    hand.choose("destination", "cdp")
    hand.press("Save")
    hand.is_told("Saved.")
    key = rows.one("SELECT id FROM dataflows_dataflow WHERE name = 'Ladder'")
    assert rows.flow(key, "description || ' ' || status") == "first draft"
    hand.fill(description="second")
    hand.press("Save and go on")
    assert rows.flow(key, "description") == "second"
    hand.go("dataflow/new/")
    hand.fill(name="ladder")
    hand.press("Save and go on")
    hand.is_told("already")
    hand.press("Go to the first error", leads=False)
    assert rows.one("SELECT count(*) FROM dataflows_dataflow WHERE lower(name) = 'ladder'") == 1
    hand.go(f"dataflow/{key}/")
    hand.press("Send or upload data")
    return Feed(demo, rows, key)


def takes_in_data(hand: Hand, feed: Feed) -> None:
    page, rows = hand.page, feed.rows
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.tick("source", value="stream_file")
    old = page.locator("#stream-id").input_value()
    hand.press("Copy", leads=False)
    hand.reads("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == old
    hand.press("Validate & download")
    hand.is_told("Nothing has arrived as a draft yet")
    page.once("dialog", lambda dialog: dialog.dismiss())
    hand.press("Rotate the stream id", leads=False)
    assert page.locator("#stream-id").input_value() == old
    page.once("dialog", lambda dialog: dialog.accept())
    hand.press("Rotate the stream id")
    hand.is_told("The stream has a new id")
    feed.stream = page.locator("#stream-id").input_value()
    assert feed.send(PEOPLE, draft=True) == 202
    hand.reads("Received 2 rows as a draft")
    assert Feed(feed.demo, rows, feed.key, old).send(PEOPLE, draft=True) == 404
    hand.tick("mode", value="production")
    upload(hand, "live.json", json.dumps(PEOPLE).encode())
    hand.is_told("2 rows were delivered")
    assert rows.runs(feed.key, "production") == [("held", 2, 0, 0)]
    hand.tick("mode", value="draft")
    upload(hand, "words.csv", WORDS)
    assert rows.runs(feed.key, "sample") == [("sample", 4, 0, 0)]
    assert rows.flow(feed.key, "status") == "draft"
    hand.press("Validate & download")
    hand.is_told("is the sample now")
    assert rows.flow(feed.key, "status") == "validated"


def upload(hand: Hand, name: str, body: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": body}
    hand.field("file").set_input_files([file])  # type: ignore[list-item]
    hand.press("Upload")


def says_how_a_file_is_read(hand: Hand, feed: Feed) -> None:
    hand.reads("The format of the file is not recognised")
    hand.choose("format", "csv")
    hand.choose("encoding", "utf-8")
    hand.choose("quote", "'")
    hand.choose("escape", "doubled")
    hand.choose("decimal", ",")
    hand.fill(delimiter="~", skip_rows="1", records_path="", null_tokens="", date_formats="%d.%m.%Y")
    hand.tick("header")
    hand.press("Parse File")
    hand.is_told("was parsed")
    settings = feed.rows.settings(feed.key)
    assert [(one["name"], one["type"]) for one in settings["columns"]] == [
        *(("id", "integer"), ("nick", "string"), ("born", "date"), ("points", "decimal")),
        ("note", "string"),
    ]
    hand.page.get_by_text("Parsing options").click()
    hand.fill(null_tokens="none")
    hand.press("Save and go on")
    hand.is_told("press Parse File")
    assert feed.rows.flow(feed.key, "parse_required") == 1
    hand.press("Parse File")
    settings = feed.rows.settings(feed.key)
    assert settings["parsing"]["null_tokens"] == ["none"]
    assert feed.rows.flow(feed.key, "parse_required") == 0


def names_columns(hand: Hand, feed: Feed) -> None:
    expect(hand.page.locator("[name=mandatory-4]")).to_be_disabled()  # a note is empty
    hand.fill(**{"name-3": "score"})
    hand.choose("type-3", "string")
    hand.tick("mandatory-1")
    hand.tick("included-4", on=False)
    hand.tick("ignore_missing")
    hand.press("Save")
    settings = feed.rows.settings(feed.key)
    third = settings["columns"][3]
    assert (third["source"], third["name"], third["type"]) == ("points", "score", "string")
    assert [one["mandatory"] for one in settings["columns"]] == [False, True, False, False, False]
    assert [one["included"] for one in settings["columns"]] == [True, True, True, True, False]
    assert settings["ignore_missing"] is True
    # The sample of the rest of the test is one that a source sent.
    assert feed.send(PEOPLE, draft=True) == 202
    hand.go(f"dataflow/{feed.key}/download/")
    hand.press("Validate & download")
    assert [one["name"] for one in feed.rows.settings(feed.key)["columns"]] == ["id", "nick", "city"]
    hand.page.locator("[name=name-1]").press("Enter")  # saves, and does not parse
    expect(hand.page).to_have_url(re.compile("/transform/$"))


def transforms(hand: Hand, feed: Feed) -> None:
    def order() -> list[tuple[str, str]]:
        settings = feed.rows.settings(feed.key)
        return [(one["function"], one["output"]) for one in settings["transformations"]]

    add(hand, "upper", ["nick"], on_error="keep")
    add(hand, "concat", ["nick", "city"], output="label", separator="/")
    add(hand, "sha256", ["label"], output="digest")
    assert order() == [("upper", "nick"), ("concat", "label"), ("sha256", "digest")]
    made = feed.rows.settings(feed.key)["transformations"]
    assert [one["on_error"] for one in made] == ["keep", "error", "error"]
    assert (made[1]["inputs"], made[1]["params"]) == (["nick", "city"], {"separator": "/"})
    hand.press("Move transformation 1 down")
    assert order() == [("concat", "label"), ("upper", "nick"), ("sha256", "digest")]
    hand.press("Move transformation 2 down")
    assert order() == [("concat", "label"), ("sha256", "digest"), ("upper", "nick")]
    hand.press("Move transformation 2 up")
    hand.is_told("which no earlier step has")  # a digest of what is not made yet
    assert order() == [("concat", "label"), ("sha256", "digest"), ("upper", "nick")]
    hand.go(f"dataflow/{feed.key}/transform/")
    hand.press("Move transformation 3 up")
    assert order() == [("concat", "label"), ("upper", "nick"), ("sha256", "digest")]
    hand.press("Remove transformation 3")
    assert order() == [("concat", "label"), ("upper", "nick")]


def add(hand: Hand, function: str, inputs: list[str], *, output: str = "", **more: str) -> None:
    hand.choose("function", function)
    hand.press("Choose")
    hand.choose("inputs", inputs)
    hand.fill(output=output)
    hand.choose("on_error", more.pop("on_error", "error"))
    hand.fill(**{f"param-{name}": value for name, value in more.items()})
    hand.press("Add transformation")
    hand.is_told("The transformation was added")


def makes_schemas(hand: Hand, feed: Feed) -> None:
    rows = feed.rows
    hand.press("Create schema based on the downloaded columns")
    hand.choose("kind", "personal")
    hand.fill(name="Ladder people")
    hand.choose("identifier", "userid")
    every = hand.page.get_by_label("Select all")
    every.uncheck()
    hand.press("Create schema")
    hand.is_told("Choose at least one column")
    hand.page.get_by_label("Select all").check()
    hand.tick("columns", value="id", on=False)
    expect(hand.page.get_by_label("Select all")).not_to_be_checked()
    hand.press("Create schema")
    assert rows.fields("Ladder people") == [
        ("userid", "string", 1),
        *((name, "string", 0) for name in ("nick", "city", "label")),
    ]
    sql = "SELECT u.username FROM dataflows_schema s JOIN auth_user u ON u.id = s.changed_by_id"
    assert rows.one(f"{sql} WHERE s.name = ?", "Ladder people") == "admin"
    hand.go("schemas/")
    hand.press("Add schema")
    account = str(rows.one("SELECT id FROM profiles_account WHERE number = ?", ACCOUNT))
    with hand.page.expect_navigation():  # its own identifiers and parents
        hand.choose("account", account)
    hand.choose("kind", "catalog")
    expect(hand.page.locator("[name=identifier]")).to_be_hidden()
    hand.fill(name="Ladder goods", key="sku", **{"field-0": "sku", "field-1": "price"})
    hand.choose("type-1", "decimal")
    hand.press("Create schema")
    assert rows.fields("Ladder goods") == [("sku", "string", 1), ("price", "decimal", 0)]


def maps(hand: Hand, feed: Feed) -> None:
    rows = feed.rows
    people = rows.one("SELECT id FROM dataflows_schema WHERE name = 'Ladder people'")
    hand.go(f"dataflow/{feed.key}/")
    hand.press("Go on with Transform & Map")
    hand.choose(
        "schema", rows_key := str(rows.one("SELECT id FROM dataflows_schema WHERE name = 'Ladder goods'"))
    )
    hand.press("Choose", place=1)
    linked = "SELECT count(*) FROM dataflows_mappedschema WHERE dataflow_id = ? AND schema_id = ?"
    assert rows.one(linked, feed.key, rows_key) == 1
    hand.press("Do not fill Ladder goods")
    assert rows.one(linked, feed.key, rows_key) == 0
    assert rows.flow(feed.key, "status") == "validated"
    hand.press("Save and go on")
    hand.is_told("Something is still missing")
    hand.reads("Map a column to userid of schema Ladder people.", "This dataflow has stored 0 rows so far.")
    hand.choose(f"map-{people}-userid", "id")
    hand.tick(f"mode-{people}", value="overwrite")
    hand.tick(f"empty-{people}")
    hand.press("Save")
    [found] = rows.settings(feed.key)["mappings"]
    assert (found["write_mode"], found["allow_empty"]) == ("overwrite", True)
    assert found["fields"] == {"userid": "id", "nick": "nick", "city": "city", "label": "label"}
    hand.tick(f"empty-{people}", on=False)
    hand.press("Save and go on")
    assert rows.settings(feed.key)["mappings"][0]["allow_empty"] is False
    assert rows.flow(feed.key, "status") == "mapped"


def tries_and_runs(hand: Hand, feed: Feed) -> None:
    expect(hand.button("Run and activate")).to_be_disabled()
    expect(hand.button("Run once")).to_be_disabled()
    hand.press("Test")
    hand.reads("The test passed: 2 rows are fine.", "ann/Oslo")
    assert feed.rows.runs(feed.key, "test") == [("succeeded", 2, 0, 0)]
    assert feed.rows.stored(feed.key) == []
    hand.press("Run once")
    hand.is_told("1 held delivery is being processed")
    assert feed.ends("held_replay", 1) == [("succeeded", 2, 0, 0)]
    assert feed.rows.stored(feed.key) == [
        {"nick": "ANN", "city": "Oslo", "label": "ann/Oslo"},
        {"nick": "BOB", "city": "Bergen", "label": "bob/Bergen"},
    ]
    assert feed.rows.flow(feed.key, "status") == "mapped"


def activates(hand: Hand, feed: Feed) -> None:
    assert feed.send(PEOPLE[:1]) == 202
    hand.go(f"dataflow/{feed.key}/activation/")
    hand.reads("Held so far: rows 1, deliveries 1.")
    for schedule in ("0 2 * * *", ""):
        hand.fill(schedule=schedule)
        hand.press("Save schedule")
        assert feed.rows.flow(feed.key, "schedule") == schedule
    hand.press("Run and activate")
    hand.is_told("The dataflow is active. 1 held delivery is being processed.")
    assert feed.rows.flow(feed.key, "status") == "active"
    assert feed.ends("held_replay", 2)[-1] == ("succeeded", 1, 0, 1)
    assert [one["nick"] for one in feed.rows.stored(feed.key)] == ["ANN"]
    assert feed.send([]) == 202
    assert feed.ends("production", 1)[-1][0] == "failed"  # nothing would be left
    assert [one["nick"] for one in feed.rows.stored(feed.key)] == ["ANN"]


def downloads_what_was_refused(hand: Hand, feed: Feed, folder: Path) -> None:
    given = [*PEOPLE, {"id": 3, "nick": "x", "city": ["?"]}, {"id": "", "nick": "nobody"}, {"nick": "=1"}]
    assert feed.send(given) == 202
    assert feed.ends("production", 2)[-1] == ("partial", 5, 2, 0)
    hand.go(f"dataflow/{feed.key}/")
    with hand.page.expect_navigation():
        hand.page.locator("table.listing a").first.click()
    hand.look()
    hand.reads("id is empty, so nobody knows whose row it is.", "4, 5", "does not fit its type (text)")
    hand.used.add(hand.pattern("Download the refused rows"))
    with hand.page.expect_download() as download:
        hand.button("Download the refused rows").click()
    download.value.save_as(folder / "refused.csv")
    with (folder / "refused.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"id": "", "nick": "nobody"}, {"id": "", "nick": "'=1"}]
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name="All runs").click()
    expect(hand.page.locator("table.listing tbody tr").first).to_contain_text("Live")
    expect(hand.page.get_by_role("row", name=re.compile("Draft Sample")).first).to_be_visible()


def changes_what_is_in_force(hand: Hand, feed: Feed) -> None:
    hand.press("Settings and commands")
    hand.go(f"dataflow/{feed.key}/transform/")
    assert hand.button("Remove transformation 1").count() == 0  # it is in use
    add(hand, "lower", ["nick"], output="small")
    assert len(feed.rows.settings(feed.key)["transformations"]) == 2
    assert len(feed.rows.settings(feed.key, "working_copy")["transformations"]) == 3
    hand.go(f"dataflow/{feed.key}/activation/")
    hand.press("Test")
    hand.press("Put the changes in force")
    hand.is_told("The changes are in force.")
    assert len(feed.rows.settings(feed.key)["transformations"]) == 3
    assert feed.rows.flow(feed.key, "working_copy") is None


def pauses_and_resumes(hand: Hand, feed: Feed) -> None:
    hand.press("Pause")
    hand.is_told("Paused")
    assert feed.rows.flow(feed.key, "status") == "paused"
    assert feed.send([{"id": 9, "nick": "new", "city": "Rome"}]) == 202
    assert feed.rows.runs(feed.key, "production")[-1] == ("held", 1, 0, 0)
    hand.press("Resume")
    hand.is_told("Active again. 1 held delivery is being processed.")
    assert feed.ends("held_replay", 3)[-1][:2] == ("succeeded", 1)
    assert [one["city"] for one in feed.rows.stored(feed.key)] == ["Rome"]
    hand.press("Clone")
    hand.is_told("A copy was made")
    copy = feed.rows.one("SELECT id FROM dataflows_dataflow WHERE name = 'Ladder 2'")
    assert feed.rows.flow(copy, "status") == "draft"
    assert feed.rows.settings(copy) == feed.rows.settings(feed.key)
    hand.go(f"dataflow/{copy}/")
    hand.press("Delete")
    hand.press("Delete")
    assert feed.rows.flow(copy, "status") == "archived"


def cancels_runs(hand: Hand, feed: Feed) -> None:
    hand.go(f"dataflow/{feed.key}/")
    hand.used.add(r"Cancel run\s.+")
    state = "SELECT state FROM dataflows_run WHERE number = ?"
    for from_the_list in (True, False):
        number = str(uuid.uuid4())
        assert feed.send(PEOPLE, run=number) == 202
        key = number.replace("-", "")
        eventually(lambda key=key: feed.rows.one(state, key) == "running", seconds=60, what="a run")
        run = feed.rows.one("SELECT id FROM dataflows_run WHERE number = ?", key)
        hand.go(f"dataflow/{feed.key}/" if from_the_list else f"dataflow/{feed.key}/runs/{run}/")
        button = hand.page.get_by_role("button", name="Cancel run")
        hand.page.once("dialog", lambda dialog: dialog.dismiss())
        button.click()
        assert feed.rows.one(state, key) == "running"
        hand.page.once("dialog", lambda dialog: dialog.accept())
        with hand.page.expect_navigation():
            button.click()
        hand.is_told("The run was cancelled.")
        assert feed.rows.one(state, key) == "cancelled"
    assert [one["city"] for one in feed.rows.stored(feed.key)] == ["Rome"]


def finds_it_in_the_list(hand: Hand, feed: Feed) -> None:
    page = hand.page

    def shows(*names: str) -> None:
        expect(page.locator("#listing-results tbody tr")).to_have_count(len(names))
        for name in names:
            expect(page.locator("#listing-results tbody")).to_contain_text(name)

    schema = feed.rows.one("SELECT id FROM dataflows_schema WHERE name = 'Ladder people'")
    hand.go("dataflows/")
    hand.fill(q="adder")
    shows("Ladder")
    boxes = [
        ("Draft or in force", "life", "in_force"),
        ("Status", "status", "active"),
        ("Source", "source", "stream_file"),
    ]
    account = str(feed.rows.flow(feed.key, "account_id"))
    boxes += [("Schema", "schema", str(schema)), ("Account", "account", account)]
    for filtered, name, value in boxes:
        hand.go("dataflows/?q=adder")
        hand.press("Show filters", leads=False)
        hand.press(filtered, leads=False)
        hand.tick(name, value=value)
        expect(page).to_have_url(re.compile(f"{name}={value}"))
        shows("Ladder")
    hand.go("dataflows/?q=adder&life=drafts")
    hand.reads("No dataflows match your query.")
    hand.press("Clear", leads=False)
    shows("Ladder")
    hand.go("schemas/?q=adder")
    hand.press("Show filters", leads=False)
    hand.press("Parent", leads=False)
    hand.press("Back", leads=False)
    hand.press("Parent", leads=False)
    hand.tick("kind", value="catalog")
    shows("Ladder goods")
    hand.go("schemas/?q=adder")
    row = page.get_by_role("row", name=re.compile("Ladder people"))
    expect(row).to_contain_text("Ladder +1")
    expect(row).to_contain_text("admin")


def works_from_the_list(hand: Hand, feed: Feed) -> None:
    rows = feed.rows

    def pick(kind: str, action: str, name: str) -> None:
        hand.go(f"{kind}/?q=adder")
        hand.press(f"More options for '{name}'", leads=False)
        hand.press(f"{action}: {name}")

    pick("dataflows", "Details", "Ladder")
    hand.reads("Runs")
    pick("dataflows", "Edit", "Ladder")
    expect(hand.page.locator("[name=name]")).to_have_value("Ladder")
    pick("dataflows", "Pause", "Ladder")
    hand.press("Cancel")
    assert rows.flow(feed.key, "status") == "active"
    for action, status in [("Pause", "paused"), ("Resume", "active")]:
        pick("dataflows", action, "Ladder")
        hand.press(action)
        assert rows.flow(feed.key, "status") == status
    pick("dataflows", "Clone", "Ladder")
    hand.press("Clone")
    copy = rows.one("SELECT id FROM dataflows_dataflow WHERE name = 'Ladder 3' AND status = 'draft'")
    pick("dataflows", "Delete", "Ladder 3")
    hand.tick("more")
    hand.press("Delete")
    assert rows.flow(copy, "status") == "archived"
    pick("schemas", "Details", "Ladder goods")
    pick("schemas", "Clone", "Ladder goods")
    hand.press("Clone")
    assert rows.fields("Ladder goods 2") == rows.fields("Ladder goods")
    pick("schemas", "Delete", "Ladder goods 2")
    hand.press("Delete")
    assert rows.fields("Ladder goods 2") == []
    hand.go("schemas/?q=adder")
    hand.press("More options for 'Ladder people'", leads=False)
    assert hand.button("Delete: Ladder people").count() == 0  # it is used


def changes_a_schema(hand: Hand, rows: Rows) -> None:
    key = rows.one("SELECT id FROM dataflows_schema WHERE name = 'Ladder goods'")
    hand.go(f"schema/{key}/")
    form = hand.page.locator("form", has=hand.page.locator("#id_new"))
    hand.used |= {hand.pattern("[name]"), hand.pattern("[type]"), hand.pattern("[mandatory]")}
    form.locator("[name=name]").fill("colour")
    form.locator("[name=type]").select_option("array")
    form.locator("[name=mandatory]").check()
    hand.press("Add field")
    assert rows.fields("Ladder goods")[-1] == ("colour", "array", 1)
    line = hand.page.get_by_role("row", name=re.compile("^colour"))
    line.locator("[name=type]").select_option("string")
    line.locator("[name=mandatory]").uncheck()
    hand.press("Save colour")
    assert rows.fields("Ladder goods")[-1] == ("colour", "string", 0)
    hand.press("Remove colour")
    assert rows.fields("Ladder goods") == [("sku", "string", 1), ("price", "decimal", 0)]
    hand.page.locator("#id_rename").fill("Ladder stock")
    hand.press("Rename")
    assert len(rows.fields("Ladder stock")) == 2
    hand.press("Clone")
    hand.page.once("dialog", lambda dialog: dialog.accept())
    hand.press("Delete")
    assert rows.fields("Ladder stock 2") == []
    used = rows.one("SELECT id FROM dataflows_schema WHERE name = 'Ladder people'")
    hand.go(f"schema/{used}/")
    assert hand.button("Delete").count() == 0
    hand.reads("fields can be added, not changed or removed")

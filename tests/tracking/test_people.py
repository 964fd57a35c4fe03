"""What is stored of one person ..."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.utils import timezone

from tests.tracking.conftest import NOW
from tracking import identity, lake, lake_merge, replay
from tracking.collector import surge
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sqlite_journal import SqliteJournal
from tracking.identity import pseudonym
from tracking.models import Erasure, Event, IdentityEdge, Tombstone
from tracking.people import erase, places, tombstones, whom
from tracking.people.spans import Span
from tracking.replay import HistoricEvent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
CUSTOMER, OTHER = "10101", "10102"  # of config/sites.yaml
WHALE = "mabel\U0001f433"
ME, SOMEBODY = pseudonym(CUSTOMER, WHALE), pseudonym(CUSTOMER, "somebody")
ME_THERE = pseudonym(OTHER, WHALE)


@pytest.fixture(autouse=True)
def _quickly(settings, tmp_path, monkeypatch):
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)
    yield
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        for path in surge.folder().glob("events-journal-*"):
            path.unlink()


def row(item: int = 1, **changes) -> EventRow:
    personal = {"segments": "7", "order_id": "A-1"}
    return EventRow(CUSTOMER, "click", ME, 1, str(item), NOW, NOW, **personal)._replace(**changes)


def crowd() -> list[EventRow]:
    """Two of mine, one of somebody else, one of me at another customer."""
    return [row(1), row(2), row(3, user=SOMEBODY), row(4, customer_id=OTHER, user=ME_THERE)]


def journal_with(rows: list[EventRow], edges: list[EdgeRow] = ()):
    """A journal whose collector has gone, or goes on."""
    if connections[settings.EVENTS_DB].vendor == "postgresql":
        made = surge.PostgresJournal(surge.events_options())
    else:
        path = surge.folder() / "events-journal-7.sqlite3"
        made = SqliteJournal(path, events=surge.events_file())
    made.append(rows, edges)
    return made


def store(rows: list[EventRow], edges: list[EdgeRow] = ()) -> None:
    Event.objects.bulk_create(Event(**one._asdict()) for one in rows)
    IdentityEdge.objects.bulk_create(IdentityEdge(**one._asdict()) for one in edges)


EDGES = [
    EdgeRow(CUSTOMER, "device", ME, NOW),
    EdgeRow(CUSTOMER, ME, SOMEBODY, NOW),
    EdgeRow(CUSTOMER, "device", SOMEBODY, NOW),
    EdgeRow(OTHER, "device", ME_THERE, NOW),
]


class Preferences:
    """What a part above tracking might hold of a person."""

    name = "preferences"

    def __init__(self) -> None:
        self.rows = [(CUSTOMER, ME), (CUSTOMER, SOMEBODY)]

    def find(self, spans):
        known = {(span.customer_id, span.user) for span in spans}
        yield from ({"likes": "whales"} for one in self.rows if one in known)

    def outdated(self, customer_id):
        low, high = identity.outdated()
        return sum(one == customer_id and low <= user < high for one, user in self.rows)

    def rekey(self, customer_id):
        yield self.outdated(customer_id)
        self.rows = [
            (one, identity.newest(one, user)) if one == customer_id else (one, user)
            for one, user in self.rows
        ]

    def erase(self, spans, *, at):
        before = len(self.rows)
        self.rows = [one for one in self.rows if one not in {(s.customer_id, s.user) for s in spans}]
        return before - len(self.rows)


@pytest.fixture
def preferences(monkeypatch):
    monkeypatch.setattr(places, "_places", [])
    return places.register(Preferences())


@pytest.mark.parametrize(
    ("name", "mine"), [("events", 2), ("logins", 2), ("journal", 3), ("lake", 2), ("preferences", 1)]
)
@pytest.mark.usefixtures("preferences")
def test_every_place_finds_and_erases_one_person_and_nobody_else(name, mine):
    """The behaviour that every place shares."""
    if name == "journal":
        journal_with(crowd(), EDGES[:1]).close()
    else:
        store(crowd(), EDGES)
        lake.archive()
    [place] = [one for one in places.places() if one.name == name]
    me, others = [Span(CUSTOMER, ME)], [Span(CUSTOMER, SOMEBODY), Span(OTHER, ME_THERE)]
    before = list(place.find(others))

    assert len(json.loads(json.dumps(list(place.find(me)), default=str))) == mine
    assert place.erase(me, at=NOW) == mine
    assert list(place.find(me)) == []
    assert place.erase(me, at=NOW) == 0
    after = list(place.find(others))
    assert after == (before if name != "logins" else [one for one in before if ME not in one.values()])


@pytest.mark.parametrize(
    ("name", "theirs"), [("events", 3), ("logins", 3), ("journal", 0), ("lake", 3), ("preferences", 2)]
)
@pytest.mark.usefixtures("preferences")
def test_every_place_brings_one_customer_to_a_new_key_once(name, theirs, settings):
    """The behaviour that every place shares; a journal holds for long only what the tables refuse."""
    store(crowd(), [*EDGES[1:3], EdgeRow(CUSTOMER, ME, "device", NOW), *EDGES[3:]])
    lake.archive()
    [place] = [one for one in places.places() if one.name == name]
    me = [Span(CUSTOMER, ME)]
    before = len(list(place.find(me)))
    settings.PSEUDONYM_KEYS = (
        *settings.PSEUDONYM_KEYS,
        "a new key of fifty characters at the very least 0123",
    )

    assert place.outdated(CUSTOMER) == theirs
    assert sum(place.rekey(CUSTOMER)) == theirs
    assert sum(place.rekey(CUSTOMER)) == 0
    assert place.outdated(CUSTOMER) == (theirs if name == "logins" else 0)  # the old ones go last
    assert len(list(place.find([Span(CUSTOMER, identity.newest(CUSTOMER, ME))]))) == before
    assert len(list(place.find([Span(OTHER, ME_THERE)]))) == place.outdated(OTHER)


@pytest.mark.parametrize("name", ["events", "journal", "lake"])
def test_what_comes_after_stays_and_what_comes_late_is_nobodys(name):
    rows = [row(1), row(2, ts=NOW - 5, received=NOW + 5), row(3, ts=NOW + 5, received=NOW + 5)]
    if name == "journal":
        journal = journal_with(rows)
    else:
        store(rows)
        lake.archive()
    [place] = [one for one in places.places() if one.name == name]

    place.erase([Span(CUSTOMER, ME)], at=NOW)

    if name == "journal":
        while journal.move():
            pass
        journal.close()
        place = places.Events()
    found = [*place.find([Span(CUSTOMER, ME)]), *place.find([Span(CUSTOMER, "")])]
    assert {one["item_id"]: (one["user"], one["segments"], one["order_id"]) for one in found} == {
        "2": ("", "", ""),
        "3": (ME, "7", "A-1"),
    }


def test_a_span_ends_where_a_login_ended_it():
    store([row(n, user="device", ts=NOW + n) for n in (1, 2, 3)])
    lake.archive()
    span = Span(CUSTOMER, "device", after=NOW + 1, until=NOW + 2)
    for place in places.places():
        place.erase([span], at=NOW + 100)
    kept = [one["item_id"] for one in places.Events().find([Span(CUSTOMER, "device")])]
    assert kept == [one["item_id"] for one in places.Lake().find([Span(CUSTOMER, "device")])] == ["1", "3"]


# --- The commands ---------------------------------------------------------------------------------


def erase_user(*options: str, user: str = WHALE, customer: str = CUSTOMER) -> str:
    out = StringIO()
    call_command("erase_user", "--customer", customer, "--user", user, "--yes", *options, stdout=out)
    return out.getvalue()


def exported(user: str = WHALE, customer: str = CUSTOMER) -> dict:
    out = StringIO()
    call_command("export_user", "--customer", customer, "--user", user, stdout=out)
    return json.loads(out.getvalue())


def test_export_shows_everything_of_one_person(preferences):
    store(
        [row(1, event="buy", price="2.50", currency="EUR"), *crowd()[1:], row(9, user="device", ts=NOW - 1)],
        EDGES[:1],
    )
    lake.archive()
    journal_with([row(5)]).close()

    found = exported()

    assert (found["customer"], found["pseudonyms"], found["linked"]) == (CUSTOMER, [ME], ["device"])
    assert [(one["event"], one["price"]) for one in found["events"]] == [
        ("buy", "2.5000"),
        ("click", None),
        ("click", None),
    ]
    assert [one["item_id"] for one in found["lake"]] == ["9", "1", "2"]
    assert [one["item_id"] for one in found["journal"]] == ["5"]
    assert [one["source"] for one in found["logins"]] == ["device"]
    assert found["preferences"] == [{"likes": "whales"}]


def test_export_writes_a_file_for_its_owner_alone(tmp_path):
    store([row(1)])
    path = tmp_path / "person.json"
    out = StringIO()
    call_command("export_user", "--customer", CUSTOMER, "--user", WHALE, "--output", str(path), stdout=out)
    assert str(path) in out.getvalue()
    assert json.loads(path.read_text())["events"][0]["item_id"] == "1"
    assert path.stat().st_mode & 0o777 == 0o600
    again = ["--customer", CUSTOMER, "--user", "somebody", "--output", str(path)]
    with pytest.raises(CommandError, match="is there already. Name another file, or replace it with --force"):
        call_command("export_user", *again)
    assert json.loads(path.read_text())["pseudonyms"] == [ME]
    call_command("export_user", *again, "--force", stdout=out)
    assert json.loads(path.read_text())["pseudonyms"] == [SOMEBODY]
    with pytest.raises(CommandError, match="--output: .* cannot be written: No such file"):
        call_command(
            "export_user", "--customer", CUSTOMER, "--user", WHALE, "--output", str(tmp_path / "a/b")
        )
    assert list(tmp_path.glob(".person*")) == []


@pytest.mark.parametrize(("user", "said"), [(WHALE, ""), ("stranger", "Nothing is stored of this person.\n")])
def test_export_says_when_nothing_is_stored(user, said):
    store([row(1)])
    errors = StringIO()
    out = StringIO()
    call_command("export_user", "--customer", CUSTOMER, "--user", user, stdout=out, stderr=errors)
    assert errors.getvalue() == said
    assert json.loads(out.getvalue())["format"] == "lodestar-person-1"


def test_erase_prints_a_receipt_and_keeps_it(preferences):
    store(crowd(), EDGES)
    lake.archive()

    said = erase_user()

    receipt = Erasure.objects.get()
    assert receipt.counts == {"journal": 0, "events": 2, "logins": 2, "lake": 2, "preferences": 1}
    assert receipt.finished_at is not None
    assert receipt.receipt in said
    assert f"user      {ME[:8]}..." in said
    assert "events    2 erased" in said
    assert ME not in said
    assert WHALE not in said
    found = exported()
    assert [found[one] for one in receipt.counts] == [[]] * 5
    assert found["erasures"][0]["receipt"] == receipt.receipt
    assert len(exported(customer=OTHER)["events"]) == 1
    assert [one["item_id"] for one in exported(user="somebody")["lake"]] == ["3"]


@pytest.mark.parametrize("linked", [True, False])
def test_erase_takes_what_devices_did_before_they_logged_in_if_asked(linked):
    store([row(1), row(2, user="device", ts=NOW - 9), row(3, user="device", ts=NOW + 9)], EDGES[:1])
    said = erase_user(*(["--linked"] if linked else []))
    left = [one["item_id"] for one in places.Events().find([Span(CUSTOMER, "device")])]
    assert left == (["3"] if linked else ["2", "3"])
    assert ("with --linked it would have been erased" in said) is not linked


def test_erase_of_somebody_unknown_leaves_a_tombstone_too():
    assert "events    0 erased" in erase_user(user="nobody we know")
    assert Tombstone.objects.get().user == pseudonym(CUSTOMER, "nobody we know")


def test_erase_goes_on_where_a_crash_ended_it(preferences, monkeypatch):
    store([*crowd(), row(7, user="device", ts=NOW - 5)], EDGES[:1])
    lake.archive()

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(preferences, "erase", killed, raising=False)
        with pytest.raises(KeyboardInterrupt):
            erase_user("--linked")
    begun = Erasure.objects.get()
    assert begun.finished_at is None

    assert begun.receipt in erase_user()

    done = Erasure.objects.get()
    assert done.finished_at is not None
    assert done.linked
    assert done.counts == {"journal": 0, "events": 3, "logins": 1, "lake": 3, "preferences": 1}


def test_the_worker_carries_on_what_a_crash_ended():
    erasure = erase.begin(whom.own(CUSTOMER, WHALE), linked=False)
    store(crowd())
    erase.sweep()
    erasure.refresh_from_db()
    assert erasure.finished_at is not None
    assert exported()["events"] == []


def test_no_file_of_the_lake_still_holds_the_person(monkeypatch):
    monkeypatch.setattr(lake_merge, "MOST_PARTS_A_DAY", 2)
    for number in range(4):  # merged parts are kept a while for readers
        store([row(number), row(number, user=SOMEBODY)])
        lake.archive()
    folder = settings.LAKE_ROOT / lake.folder_of(CUSTOMER)
    (folder / ".tmp-9-left").mkdir()
    stray = folder / lake.read_manifest(lake.folder_of(CUSTOMER)).files[0]
    (stray.parent / "stray.parquet").write_bytes(stray.read_bytes())

    erase_user()

    assert [path for path in folder.rglob("*.parquet") if ME.encode() in contents(path)] == []
    assert not list(folder.glob(".tmp-*"))
    assert len(list(places.Lake().find([Span(CUSTOMER, SOMEBODY)]))) == 4
    assert lake.read_manifest(lake.folder_of(CUSTOMER)).rows == 4


def contents(path) -> bytes:
    import duckdb

    return repr(duckdb.read_parquet(str(path)).fetchall()).encode()


def test_the_lake_is_not_taken_for_another_databases_when_its_newest_rows_go():
    store([row(1, user=SOMEBODY), row(2)])
    lake.archive()
    Event.objects.filter(user=SOMEBODY).delete()  # by retention, say
    erase_user()
    store([])
    lake.archive()
    assert [one["item_id"] for one in places.Lake().find([Span(CUSTOMER, SOMEBODY)])] == ["1"]


# --- Copies that come back ------------------------------------------------------------------------


def historic(item: int, **changes) -> HistoricEvent:
    ts = datetime.now(UTC) - timedelta(days=3)
    return HistoricEvent(
        **{"event": "click", "user": WHALE, "item_type": 1, "item_id": str(item), "ts": ts} | changes
    )


def test_an_import_of_old_events_comes_back_as_nobodys():
    erase_user()
    result = replay.store(
        CUSTOMER,
        [historic(1), historic(2, user="somebody"), historic(0, event="login", item_id="", source="d")],
    )
    assert result.stored == 3
    assert dict(Event.objects.values_list("item_id", "user")) == {"1": "", "2": SOMEBODY, "": ""}
    assert not IdentityEdge.objects.exists()


def test_a_signed_replay_is_accepted_and_stored_without_a_user(client):
    from config import site_access
    from tracking.collector import historic as signed

    erase_user()
    key = next(
        site.license_key for site in site_access.configured_sites() if str(site.customer_id) == CUSTOMER
    )
    parameters = [("overridetimestamp", "2026-01-01T11:00:00")]
    signature = signed.signatures("1&5", key, parameters)[0]
    answer = client.get(
        f"/api/{CUSTOMER}/click/mabel%F0%9F%90%B3/1/5?overridetimestamp=2026-01-01T11%3A00%3A00&signature={signature}"
    )
    assert answer.status_code == 204, answer.content
    assert client.get(f"/api/{CUSTOMER}/click/mabel%F0%9F%90%B3/1/6").status_code == 204
    assert dict(Event.objects.values_list("item_id", "user")) == {"5": "", "6": ME}


def test_what_was_on_its_way_is_swept_up_and_kept_out_of_the_lake():
    erase_user()
    at = Erasure.objects.get().erased_at
    late = [
        row(1, ts=at - 5, received=at - 5),
        row(2, ts=at - 5, received=at + 5),
        row(3, ts=at + 5, received=at + 5),
    ]
    store(late, [EdgeRow(CUSTOMER, "device", ME, at - 5)])
    lake.archive()
    assert [one["item_id"] for one in places.Lake().find([Span(CUSTOMER, ME)])] == ["3"]
    erase.sweep()
    assert dict(Event.objects.values_list("item_id", "user")) == {"2": "", "3": ME}
    assert not IdentityEdge.objects.exists()
    assert Erasure.objects.get().counts["events"] == 2


def test_a_tombstone_ends(settings):
    settings.TOMBSTONE_DAYS = 2
    erase_user()
    Tombstone.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    replay.store(CUSTOMER, [historic(1)])
    erase.sweep()
    assert [one["item_id"] for one in exported()["events"]] == ["1"]
    assert not Tombstone.objects.exists()
    assert Erasure.objects.get().digits == ME[:8]


def test_live_events_ask_no_database(django_assert_num_queries):
    rows = [row(n) for n in range(50)]
    with django_assert_num_queries(0, using=settings.EVENTS_DB):
        assert tombstones.apply(rows, EDGES) == (rows, EDGES)


# --- Wrong use ------------------------------------------------------------------------------------

WRONG = [
    ({"customer": "99999"}, "--customer: customer &quot;99999&quot; not found"),
    ({"customer": ""}, "--customer: customer"),
    ({"user": ""}, "--user must not be empty"),
    ({"user": "not_defined"}, "not_defined is nobody"),
    ({"user": "x" * 1025}, "at most 1,024 bytes long; got 1025"),
    ({"user": "\U0001f433" * 257}, "got 1028 bytes"),
    ({"user": "\udcff"}, "must be valid UTF-8"),
]


@pytest.mark.parametrize("command", [erase_user, exported])
@pytest.mark.parametrize(("options", "sentence"), WRONG)
def test_wrong_use_is_named_and_changes_nothing(command, options, sentence):
    store(crowd())
    with pytest.raises(CommandError) as caught:
        command(**options)
    assert sentence.replace("&quot;", '"') in str(caught.value)
    assert caught.value.returncode == 2
    assert options.get("user", "") not in str(caught.value) or len(options.get("user", "")) < 12
    assert Event.objects.count() == 4
    assert not Erasure.objects.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"", "must not be empty"),
        (b"\n", "must not be empty"),
        (b"a\nb\n", "one line"),
        (b"\xff\n", "valid UTF-8"),
        (b"x" * 3000, "at most 1,024 bytes"),
    ],
)
def test_standard_input_must_hold_one_id(given, sentence, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    with pytest.raises(CommandError, match=sentence):
        exported(user="-")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_standard_input_names_a_person(end, monkeypatch):
    store(crowd())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(WHALE.encode() + end)))
    assert len(exported(user="-")["events"]) == 2


def test_erase_asks_and_takes_silence_for_no(monkeypatch):
    store(crowd())
    command = ["erase_user", "--customer", CUSTOMER, "--user", WHALE]
    with pytest.raises(CommandError, match="Add --yes"):
        call_command(*command)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer in ("", "no", "y"):
        monkeypatch.setattr("builtins.input", lambda _question, answer=answer: answer)
        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command(*command)
    assert Event.objects.count() == 4
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    call_command(*command, stdout=StringIO())
    assert Event.objects.count() == 2


def test_a_customer_who_is_no_longer_configured_can_still_be_answered():
    store([row(1, customer_id="4321", user=pseudonym("4321", WHALE))])
    assert len(exported(customer="4321")["events"]) == 1
    assert "events    1 erased" in erase_user(customer="4321")


def test_a_damaged_journal_stops_nothing():
    if connections[settings.EVENTS_DB].vendor != "sqlite":
        pytest.skip("about files of SQLite")
    (surge.folder() / "events-journal-9.sqlite3").write_bytes(b"no database" * 1000)
    store(crowd())
    assert "events    2 erased" in erase_user()

"""Changing the keys of pseudonyms ..."""

from __future__ import annotations

import hmac
import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from config import checks, pseudonym_keys
from personalization.server.history import History
from tests.tracking.conftest import NOW
from tests.tracking.test_people import journal_with
from tracking import identity, lake, queries, replay
from tracking.collector import intake, surge
from tracking.collector.rows import EventRow
from tracking.identity import pseudonym, pseudonyms
from tracking.models import Erasure, Event, IdentityEdge, PseudonymKey, Tombstone
from tracking.people import erase, places, tombstones
from tracking.people.spans import Span
from tracking.replay import HistoricEvent
from tracking.rotation import keys, rekey, run

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
CUSTOMER, OTHER = "10101", "10102"  # of config/sites.yaml
FIRST, SECOND, THIRD = ("an old key", "second-key-" + "ab3d5" * 9, "third-key-" + "x7y9z" * 9)


@pytest.fixture(autouse=True)
def _quickly(settings, tmp_path, monkeypatch):
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.VAR_DIR = tmp_path
    settings.PSEUDONYM_KEYS = (FIRST,)
    keys.settled.forget()
    for module in (run, erase):
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    yield
    keys.settled.forget()
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        for path in surge.folder().glob("events-journal-*"):
            path.unlink()


def visit(user: str, item: int = 1, *, customer: str = CUSTOMER, ago: int = 10) -> None:
    replay.store(customer, [HistoricEvent("click", user, NOW - ago, 1, str(item))])


def login(source: str, target: str, *, ago: int = 5) -> None:
    replay.store(CUSTOMER, [HistoricEvent("login", target, NOW - ago, source=source)])


def rotate(*options: str) -> dict:
    out = StringIO()
    call_command("rotate_pseudonyms", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def refused(*options: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as stop:
        call_command("rotate_pseudonyms", *options, stdout=StringIO())
    return stop.value.returncode, str(stop.value)


def items(user: str) -> list[str]:
    found = queries.history(CUSTOMER, *keys.living(CUSTOMER, user), events=["click"])
    return sorted(one.item_id for one in found)


def users(place: str = "events") -> set[str]:
    if place == "lake":
        return {row["user"] for row in places.Lake().find(everything())}
    return set(Event.objects.values_list("user", flat=True))


def everything() -> list[Span]:
    forms = {*pseudonyms(CUSTOMER, "mabel"), *pseudonyms(CUSTOMER, "john"), *pseudonyms(CUSTOMER, "device")}
    return [Span(CUSTOMER, form) for form in forms]


def findings() -> dict[str, checks.Finding]:
    return {one.text: one for one in checks.examine() if one.about == "pseudonyms"}


# --- The chain ------------------------------------------------------------------------------------


def test_with_one_key_stores_what_it_always_stored():
    customer_key = hmac.digest(FIRST.encode(), b"pseudonym:10101", "sha256")
    assert pseudonym(CUSTOMER, "mabel") == hmac.digest(customer_key, b"mabel", "sha256").hex()[:32]
    assert pseudonyms(CUSTOMER, "mabel") == (pseudonym(CUSTOMER, "mabel"),)


def test_leads_from_a_stored_form_to_the_same_as_from_the_id(settings):
    old = pseudonym(CUSTOMER, "mabel")
    settings.PSEUDONYM_KEYS = (FIRST, SECOND)
    second = pseudonym(CUSTOMER, "mabel")
    settings.PSEUDONYM_KEYS = (FIRST, SECOND, THIRD)

    assert pseudonyms(CUSTOMER, "mabel")[1:] == (second, old)
    assert identity.onward(CUSTOMER, old) == pseudonyms(CUSTOMER, "mabel")[::-1]
    assert identity.newest(CUSTOMER, second) == pseudonym(CUSTOMER, "mabel")
    assert identity.newest(CUSTOMER, "") == ""
    assert [identity.generation_of(one) for one in pseudonyms(CUSTOMER, "mabel")] == [3, 2, 1]
    assert {len(one) for one in pseudonyms(CUSTOMER, "mabel")} == {32}


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_never_links_customers_and_keeps_people_apart(one, other):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PSEUDONYM_KEYS", (FIRST, SECOND, THIRD))
        assert not set(pseudonyms(CUSTOMER, one)) & set(pseudonyms(OTHER, one))
        if one != other:
            assert not set(pseudonyms(CUSTOMER, one)) & set(pseudonyms(CUSTOMER, other))
        for form in pseudonyms(CUSTOMER, one):
            low, high = identity.span_of(identity.generation_of(form))
            assert low <= form < high
            assert identity.newest(CUSTOMER, form) == pseudonym(CUSTOMER, one)


@pytest.mark.parametrize(
    ("listed", "single", "says"),
    [
        (f"{FIRST},{SECOND},{FIRST}", "", "keys 1 and 3 are the same"),
        (f"{FIRST},,{SECOND}", "", "key 2 is missing"),
        (f"{FIRST},", "", "key 2 is missing"),
        (f"{FIRST},short", "", "key 2 is short or too simple; use at least 50 random characters"),
        (f"{FIRST},{'a' * 60}", "", "key 2 is short or too simple"),
        (f"{FIRST},{SECOND}", SECOND, "is not its first key"),
        (",".join(f"{n:02}{SECOND}" for n in range(14)), "", "at most 13 keys; got 14"),
    ],
)
def test_refuses_a_list_that_cannot_be_meant(listed, single, says, monkeypatch):
    monkeypatch.setenv("LODESTAR_PSEUDONYM_KEYS", listed)
    monkeypatch.setenv("LODESTAR_PSEUDONYM_KEY", single)
    with pytest.raises(ImproperlyConfigured, match=says) as stop:
        pseudonym_keys.pseudonym_keys(secret_key="s")
    assert not any(key in str(stop.value) for key in (FIRST, SECOND, "aaa"))


@pytest.mark.parametrize(
    ("listed", "single", "keys"),
    [
        ("", "", ("the secret key",)),
        ("", "a,b ", ("a,b ",)),
        (f" {FIRST} , {SECOND}", "", (FIRST, SECOND)),
        (FIRST, FIRST, (FIRST,)),
    ],
)
def test_reads_the_keys_of_the_environment(listed, single, keys, monkeypatch):
    monkeypatch.setenv("LODESTAR_PSEUDONYM_KEYS", listed)
    monkeypatch.setenv("LODESTAR_PSEUDONYM_KEY", single)
    assert pseudonym_keys.pseudonym_keys(secret_key="the secret key") == keys


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def before(settings):
    """Mabel, whose device logged in, and John, in tables and lake; then a second key comes."""
    for user, item in (("mabel", 1), ("device", 2), ("john", 3)):
        visit(user, item)
    login("device", "mabel")
    visit("mabel", 4, customer=OTHER)
    lake.archive()
    settings.PSEUDONYM_KEYS = (FIRST, SECOND)


@pytest.mark.usefixtures("before")
def test_rekeys_everything_once():
    assert rotate("--dry-run")["counts"] == {
        "journal": 0,
        "events": 5,
        "logins": 1,
        "lake": 5,
        "attributes": 0,
        "triggers": 0,
        "profiles": 0,
        "tombstones": 0,
    }
    assert users() >= {pseudonyms(CUSTOMER, "john")[1]}

    report = rotate()

    assert (report["finished"], report["generation"]) == (True, 2)
    assert report["counts"] == {
        "journal": 0,
        "events": 5,
        "logins": 1,
        "lake": 5,
        "attributes": 0,
        "triggers": 0,
        "profiles": 0,
        "tombstones": 0,
    }
    expected = {pseudonym(CUSTOMER, user) for user in ("mabel", "john", "device")}
    assert users() == {*expected, pseudonym(OTHER, "mabel")}
    assert users("lake") == expected
    assert list(IdentityEdge.objects.values_list("source", "target")) == [
        (pseudonym(CUSTOMER, "device"), pseudonym(CUSTOMER, "mabel"))
    ]
    assert rotate()["counts"] == dict.fromkeys(report["counts"], 0)
    assert items("mabel") == ["1", "2"]
    assert not any("an old key" in row.fingerprint for row in PseudonymKey.objects.all())


@pytest.mark.usefixtures("before")
def test_goes_on_to_a_third_key(settings):
    rotate()
    settings.PSEUDONYM_KEYS = (FIRST, SECOND, THIRD)
    assert items("mabel") == ["1", "2"]
    assert rotate()["finished"]
    assert {identity.generation_of(one) for one in users()} == {3}
    assert items("mabel") == ["1", "2"]


@pytest.mark.usefixtures("before")
def test_brings_a_rotation_straight_over_two_keys(settings):
    settings.PSEUDONYM_KEYS = (FIRST, SECOND, THIRD)
    assert rotate()["finished"]
    assert users("lake") == {pseudonym(CUSTOMER, user) for user in ("mabel", "john", "device")}


@pytest.mark.usefixtures("before")
def test_rekeys_one_customer_and_ends_with_the_last():
    assert rotate("--customer", OTHER)["counts"]["events"] == 1
    assert not keys.is_finished()
    assert items("mabel") == ["1", "2"]
    assert rotate("--customer", CUSTOMER)["counts"]["events"] == 4
    assert rotate()["finished"]
    assert keys.is_finished()


@pytest.mark.usefixtures("before")
def test_rekeys_rows_that_the_tables_refused():
    old = pseudonyms(CUSTOMER, "mabel")[1]
    bad = EventRow(CUSTOMER, "click", old, 1, "9", NOW, NOW, quantity="many")  # type: ignore[arg-type]
    journal = journal_with([bad])
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        journal._writing.execute("INSERT INTO refused SELECT * FROM event")
        journal._writing.execute("DELETE FROM event")
    journal.close()

    assert rotate()["counts"]["journal"] == 1
    assert [row["user"] for row in places.Journal().find(everything())] == [pseudonym(CUSTOMER, "mabel")]


@pytest.mark.usefixtures("before")
def test_moves_and_rekeys_what_waits_in_a_journal():
    old = pseudonyms(CUSTOMER, "john")[1]
    journal_with([EventRow(CUSTOMER, "click", old, 1, "9", NOW, NOW)]).close()
    assert rotate()["counts"]["events"] == 6
    assert items("john") == ["3", "9"]


# --- Half way -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("before")
def test_shows_a_whole_history_at_every_moment():
    visit("mabel", 5, ago=1)
    visit("device", 6, ago=7)
    login("tablet", "device", ago=6)
    visit("tablet", 7, ago=8)
    whole = ["1", "2", "5", "6", "7"]
    assert items("mabel") == whole
    seen = []

    def look(place, number):
        seen.append((place, number, items("mabel")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rekey, "BATCH", 1)
        run.rotate(run.everybody(), on_progress=look)
    assert [one for one in seen if one[2] != whole] == []
    assert len(seen) > 10
    assert items("mabel") == whole


@pytest.mark.usefixtures("before")
def test_recommends_by_both_generations():
    visit("mabel", 5, ago=1)
    assert {identity.generation_of(one) for one in users()} == {1, 2}
    assert {seed.key for seed in History(CUSTOMER, "mabel").seeds("CLICKED")} == {
        (1, "1"),
        (1, "2"),
        (1, "5"),
    }


@pytest.mark.usefixtures("before")
def test_keeps_logins_of_the_time_in_between_together():
    """The device has events of the old form only; the login is told with the new key."""
    visit("phone", 8)
    Event.objects.filter(user=pseudonym(CUSTOMER, "phone")).update(user=pseudonyms(CUSTOMER, "phone")[1])
    accepted = intake.accept(b"/api/10101/login/phone/mabel", method="GET", headers={}, body=b"")
    assert len(accepted.edges) == 2
    IdentityEdge.objects.bulk_create(IdentityEdge(**one._asdict()) for one in accepted.edges)

    assert items("mabel") == ["1", "2", "8"]
    assert len({(one.source, one.after, one.until) for one in queries.ownership(CUSTOMER)}) == 4
    rotate()
    assert items("mabel") == ["1", "2", "8"]
    assert len(intake.accept(b"/api/10101/login/a/b", method="GET", headers={}, body=b"").edges) == 1


@pytest.mark.parametrize("done", [0, 1, 2, 9])
@pytest.mark.usefixtures("before")
def test_erases_and_exports_both_generations(done, monkeypatch):
    visit("mabel", 5, ago=1)
    monkeypatch.setattr(rekey, "BATCH", 1)
    batches = rekey.users(CUSTOMER)
    for _batch in range(done):
        next(batches, None)
    out = StringIO()
    call_command("export_user", "--customer", CUSTOMER, "--user", "mabel", stdout=out)
    document = json.loads(out.getvalue())
    clicks = {one["item_id"] for one in document["events"] if one["event"] == "click"}
    assert clicks == {"1", "2", "5"}

    call_command("erase_user", "--customer", CUSTOMER, "--user", "mabel", "--linked", "--yes", stdout=out)

    assert items("mabel") == []
    assert rotate()["finished"]
    assert users() == {pseudonym(CUSTOMER, "john"), pseudonym(OTHER, "mabel")}
    assert users("lake") == {pseudonym(CUSTOMER, "john")}


@pytest.mark.parametrize("finished", [False, True])
def test_goes_on_stopping_copies_of_what_was_erased(settings, finished):
    visit("mabel", 1)
    call_command("erase_user", "--customer", CUSTOMER, "--user", "mabel", "--yes", stdout=StringIO())
    settings.PSEUDONYM_KEYS = (FIRST, SECOND)
    if finished:
        assert rotate()["counts"]["tombstones"] == 1
    assert Tombstone.objects.get().user == pseudonyms(CUSTOMER, "mabel")[0 if finished else 1]

    visit("mabel", 2)
    login("device", "mabel")

    assert users() == {""}
    assert not IdentityEdge.objects.exists()
    old = EventRow(CUSTOMER, "click", pseudonyms(CUSTOMER, "mabel")[1], 1, "1", NOW - 9, NOW)
    assert [one.user for one in tombstones.apply([old], [])[0]] == [""]
    late = Event.objects.create(**old._replace(received=NOW - 9)._asdict())
    rotate()
    erase.sweep()
    assert not Event.objects.filter(pk=late.pk, user__gt="").exists()
    assert Erasure.objects.count() == 1


# --- Event ids ------------------------------------------------------------------------------------


def test_knows_an_imported_file_after_a_rotation(settings, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text("who,what,at\n" + "".join(f"u{n},{n + 1},1700000{n:03}\n" for n in range(20)))

    def imported() -> dict:
        out = StringIO()
        call_command(
            "import_events",
            str(path),
            customer=CUSTOMER,
            map=["user=who,item=what,ts=at"],
            json=True,
            stdout=out,
        )
        return json.loads(out.getvalue())

    assert imported()["stored"] == 20
    settings.PSEUDONYM_KEYS = (FIRST, SECOND)
    assert (imported()["stored"], imported()["duplicates"]) == (0, 20)
    rotate()
    assert (imported()["stored"], Event.objects.count()) == (0, 20)


# --- Wrong keys -----------------------------------------------------------------------------------


def test_has_nothing_to_do_with_one_key():
    visit("mabel")
    code, said = refused()
    assert code == 2
    assert "Only one key of pseudonyms is set" in said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ((FIRST,), "as number 2. Users are stored under it"),
        ((SECOND, FIRST), "in the wrong order"),
        ((THIRD, SECOND), "Key 1 of pseudonyms is not the one"),
        ((FIRST, THIRD), "Key 2 of pseudonyms is not the one"),
        ((SECOND,), "as number 1. Users are stored under it"),
        ((SECOND, THIRD), "as number 1. Users are stored under it"),
    ],
)
@pytest.mark.usefixtures("before")
def test_refuses_keys_that_the_database_was_not_made_with(wrong, says, settings):
    rotate()
    settings.PSEUDONYM_KEYS = wrong
    code, said = refused()
    assert (code, says in said) == (2, True), said
    assert FIRST not in said
    assert any(says in text and one.remedy for text, one in findings().items())
    assert {identity.generation_of(one) for one in users()} == {2}


@pytest.mark.usefixtures("before")
def test_refuses_a_customer_that_there_is_not():
    code, said = refused("--customer", "99999")
    assert (code, said) == (2, '--customer: customer "99999" not found.')


def test_accepts_other_keys_where_nobody_is_stored(settings):
    keys.note()
    assert PseudonymKey.objects.get().fingerprint == keys.fingerprint(FIRST)
    visit("not_defined")
    settings.PSEUDONYM_KEYS = (SECOND,)
    assert not any(one.remedy for one in findings().values())
    assert keys.note() == ""
    assert PseudonymKey.objects.get().fingerprint == keys.fingerprint(SECOND)
    settings.PSEUDONYM_KEYS = (THIRD,)
    visit("mabel")
    assert PseudonymKey.objects.get().fingerprint == keys.fingerprint(THIRD)


@pytest.mark.usefixtures("before")
def test_takes_a_new_key_back_that_nothing_was_stored_under(settings):
    keys.note()
    assert PseudonymKey.objects.count() == 2
    settings.PSEUDONYM_KEYS = (FIRST,)
    assert keys.note() == ""
    assert PseudonymKey.objects.count() == 1


def test_says_what_the_keys_need(settings):
    assert not any(one.remedy for one in findings().values())
    visit("mabel")
    settings.PSEUDONYM_KEYS = (FIRST, SECOND)
    assert any("a rotation to generation 2 is not finished" in text for text in findings())
    rotate()
    assert not any(one.remedy for one in findings().values())
    Event.objects.create(**EventRow(CUSTOMER, "click", pseudonyms(CUSTOMER, "x")[1], 1, "1", 1, 1)._asdict())
    assert any("still runs with the old keys" in text for text in findings())
    Event.objects.all().delete()
    assert any("older keys are not needed" in text for text in findings())


@pytest.mark.usefixtures("before")
def test_begins_anew_with_keys_when_the_old_ones_were_destroyed(settings, monkeypatch):
    rotate()
    settings.PSEUDONYM_KEYS = (THIRD,)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    assert refused("--begin-anew") == (2, "Nobody can be asked here; nothing was done. Add --yes.")

    call_command("rotate_pseudonyms", "--begin-anew", "--yes", stdout=StringIO())

    assert not any(one.remedy for one in findings().values())
    assert items("mabel") == []
    visit("mabel", 5)
    assert items("mabel") == ["5"]
    assert Event.objects.count() == 6


@pytest.mark.usefixtures("before")
def test_refuses_to_run_twice_at_once(tmp_path):
    from config.files import hold

    with hold(tmp_path / ".rotate-pseudonyms.lock"):
        assert refused() == (4, "A rotation is already running.")


@pytest.mark.usefixtures("before")
def test_ends_although_somebody_goes_on_with_the_old_keys(monkeypatch):
    move = surge.move_leftovers

    def another() -> int:
        replay_row = EventRow(CUSTOMER, "click", pseudonyms(CUSTOMER, "late")[1], 1, "1", NOW, NOW)
        Event.objects.create(**replay_row._asdict())
        return move()

    monkeypatch.setattr(surge, "move_leftovers", another)
    code, said = refused()
    assert code == 1
    assert "a process still runs with the old keys" in said

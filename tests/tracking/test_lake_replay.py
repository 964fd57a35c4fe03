"""Lost events ..."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from config.customers.directory import directory
from tests.tracking.test_lake import DAY, event, read
from tracking import lake, lake_merge, pulse, queries, viewers
from tracking import replay as replays
from tracking.debugger import Wanted
from tracking.identity import pseudonym
from tracking.models import Cursor, Event, IdentityEdge
from tracking.people import places
from tracking.people.spans import Span
from tracking.replay import HistoricEvent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
NOW = time.time_ns() // 1000


@pytest.fixture(autouse=True)
def _own_lake(settings, tmp_path):
    settings.LAKE_ROOT = tmp_path / "lake"


def replay(**options: Any) -> str:
    out = StringIO()
    call_command("replay_lake", stdout=out, **options)
    return out.getvalue()


def table() -> list[tuple]:
    return list(Event.objects.order_by("pk").values_list())


def crowd() -> list[Event]:
    details = {
        "order_id": "A-1",
        "price": "4.44",
        "currency": "EUR",
        "quantity": 2,
        "category_path": "/1/3/",
        "lang": "en",
    }
    return [
        event(n % 5, user=f"u{n % 4}", ts=NOW - n, received=NOW - n, event_id=f"e{n}" if n % 2 else None)
        for n in range(40)
    ] + [event(7, event="buy", customer_id="2", ts=NOW - DAY, received=NOW, seq=0, **details)]


def figures() -> tuple:
    viewers.board.forget()
    pairs = [(1, str(n)) for n in range(5)]
    histories = [queries.history("1", f"u{n}") for n in range(4)] + [queries.history("2", "u")]
    return (
        histories,
        viewers.count("1", pairs),
        pulse.minutes(Wanted(customer_id="1"), now=NOW),
        pulse.minutes(now=NOW),
    )


def lose_everything() -> None:
    """As a new, empty database is."""
    Event.objects.all().delete()
    Cursor.objects.all().delete()
    with connections[settings.EVENTS_DB].cursor() as cursor:
        if connections[settings.EVENTS_DB].vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'tracking_event'")
        else:
            cursor.execute("ALTER SEQUENCE tracking_event_id_seq RESTART")


@pytest.mark.parametrize("lose", [lambda: Event.objects.all().delete(), lose_everything])
def test_come_back_with_all_columns_and_the_same_figures(lose):
    Event.objects.bulk_create(crowd())
    lake.archive()
    before, counted = table(), figures()
    assert counted[1]
    lose()
    assert figures() != counted

    said = replay()

    assert said == (
        "customer 1: 40 events restored, 0 were there already\n"
        "customer 2: 1 events restored, 0 were there already\n"
    )
    assert table() == before
    assert figures() == counted
    assert "customer 1: 0 events restored, 40 were there already" in replay()
    event(99).save()
    assert Event.objects.latest("pk").pk > before[-1][0]
    assert lake.archive() == 1
    assert len(read()) == 41, "nothing is archived twice, and what is new is"


def test_come_back_to_the_same_models(settings, tmp_path):
    import numpy as np

    from personalization.server import artefacts
    from personalization.server.models import ModelBuild
    from tests.personalization.server.conftest import new_account
    from tests.personalization.server.test_recommendations import learn

    settings.ARTEFACT_ROOT = tmp_path / "models"
    account = new_account("Shop")
    Event.objects.bulk_create(
        event(n % 7 + n % 3, user=f"u{n % 11}", customer_id=account.customer_id, ts=NOW - n)
        for n in range(300)
    )

    def learned() -> dict[str, Any]:
        learn(account)
        names = ModelBuild.objects.filter(status="active").values_list("model__identifier", flat=True)
        found = {name: artefacts.shelf.current(account.customer_id, name) for name in names}
        return {name: (one.keys, np.asarray(one.ranking).tolist()) for name, one in found.items() if one}

    before = learned()
    assert before
    Event.objects.all().delete()
    replay()
    call_command("rebuild_lake")
    assert learned() == before


def test_come_back_where_some_are_missing():
    Event.objects.bulk_create(crowd())
    lake.archive()
    before = table()
    Event.objects.filter(pk__in=[row[0] for row in before[10:20]]).delete()
    assert "customer 1: 10 events restored, 30 were there already" in replay(customer="1")
    assert table() == before


def test_of_an_erased_person_stay_away():
    Event.objects.bulk_create(crowd())
    lake.archive()
    places.Lake().erase([Span("1", "u1")], at=NOW + 1)
    Event.objects.all().delete()
    replay()
    assert not Event.objects.filter(user="u1").exists()
    assert Event.objects.count() == 31


def test_whose_time_is_over_stay_away(settings):
    Event.objects.bulk_create([event(1, ts=NOW - 20 * DAY), event(2, ts=NOW)])
    lake.archive()
    Event.objects.all().delete()
    settings.RETENTION = {"default": 10}
    directory.forget()
    replay()
    assert [row.item_id for row in Event.objects.all()] == ["2"]


def test_that_came_again_meanwhile_are_not_doubled():
    Event.objects.bulk_create([event(1, event_id="a"), event(2, event_id="b")])
    lake.archive()
    Event.objects.all().delete()
    event(1, event_id="a").save()
    assert replay() == "customer 1: 1 events restored, 2 were there already\n"
    assert sorted(Event.objects.values_list("event_id", flat=True)) == ["a", "b"]


def test_come_back_to_an_older_copy_of_the_database_that_has_new_events():
    Event.objects.bulk_create([event(n, pk=n + 1) for n in range(5)])
    lake.archive()
    lose_everything()  # the copy knows the first two events, and two others were tracked since
    Event.objects.bulk_create(event(item, pk=pk) for pk, item in enumerate((0, 1, 77, 78), 1))
    assert lake.archive() == 4
    assert read() == [("0",), ("1",), ("77",), ("78",)]

    assert replay() == "customer 1: 3 events restored, 6 were there already\n"

    expected = ["0", "1", "2", "3", "4", "77", "78"]
    assert sorted(Event.objects.values_list("item_id", flat=True)) == expected
    lake.archive()
    assert sorted(row[0] for row in read()) == expected
    assert replay() == "customer 1: 0 events restored, 12 were there already\n"
    assert Event.objects.count() == 7


def test_that_were_set_aside_before_a_change_of_keys_come_back_in_the_form_of_today(settings):
    settings.PSEUDONYM_KEYS = ("an old key",)
    old = {user: pseudonym("1", user) for user in ("ada", "bob")}
    Event.objects.bulk_create([event(n, pk=n + 1, user=old["bob" if n % 2 else "ada"]) for n in range(5)])
    event(5, pk=6, user="").save(force_insert=True)
    lake.archive()
    lose_everything()
    event(9, pk=1, user=old["ada"]).save(force_insert=True)
    lake.archive()

    settings.PSEUDONYM_KEYS = ("an old key", "a second key")
    assert replay() == "customer 1: 6 events restored, 1 were there already\n"

    today = {user: pseudonym("1", user) for user in old}
    assert not set(today.values()) & set(old.values())
    restored = dict(Event.objects.exclude(item_id="9").values_list("item_id", "user"))
    assert restored == {
        **{str(n): today["bob" if n % 2 else "ada"] for n in range(5)},
        "5": "",
    }
    assert len(queries.history("1", today["bob"])) == 2


def test_of_a_login_come_back_without_what_it_hands_over():
    replays.store("1", [HistoricEvent("click", "device", NOW - 10, 1, "7")])
    replays.store("1", [HistoricEvent("login", "ada", NOW - 5, source="device")])
    lake.archive()
    device, ada = pseudonym("1", "device"), pseudonym("1", "ada")
    assert [one.item_id for one in queries.history("1", ada, events=["click"])] == ["7"]
    Event.objects.all().delete()
    replay()
    assert queries.history("1", ada, events=["click"]), "while the edges are there it is as before"
    Event.objects.all().delete()
    IdentityEdge.objects.all().delete()
    replay()
    assert [one.event for one in queries.history("1", ada)] == ["login"]
    assert [one.item_id for one in queries.history("1", device, events=["click"])] == ["7"]


def test_that_were_set_aside_are_kept_for_a_while(monkeypatch):
    Event.objects.bulk_create([event(n) for n in range(5)])
    lake.archive()
    lose_everything()
    event(9, pk=1).save(force_insert=True)
    lake.archive()
    monkeypatch.setattr(lake_merge, "LEFT_SECONDS", -1.0)
    lake_merge.sweep()
    assert len(list(settings.LAKE_ROOT.rglob("*.parquet"))) == 2
    monkeypatch.setattr(lake_merge, "ASIDE_SECONDS", -1.0)
    lake_merge.sweep()
    assert [path.name for path in settings.LAKE_ROOT.rglob("*.parquet")] == [p.name for p in lake.files("1")]
    assert replay() == "customer 1: 0 events restored, 1 were there already\n"


def test_of_a_customer_without_files_are_refused():
    with pytest.raises(CommandError, match="customer 77 has no files in the lake") as caught:
        replay(customer="77")
    assert caught.value.returncode == 2


def test_of_a_damaged_file_are_named():
    Event.objects.bulk_create([event(1), event(2, customer_id="2")])
    lake.archive()
    part = lake.files("1")[0]
    part.write_bytes(b"PAR1")
    Event.objects.all().delete()
    with pytest.raises(CommandError, match=r"is damaged .* Calling this again goes on") as caught:
        replay()
    assert caught.value.returncode == 1
    assert replay(customer="2") == "customer 2: 1 events restored, 0 were there already\n"

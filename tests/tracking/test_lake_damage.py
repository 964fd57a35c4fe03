"""A lake with a damaged file ..."""

from __future__ import annotations

import json
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config import checks
from config.faults import Fault
from tests.tracking.test_lake import event, read
from tracking import lake, lake_merge
from tracking.models import Event
from tracking.people import places
from tracking.people.spans import Span

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
CUT = r"\.parquet is damaged \(no Parquet file\)\. `manage\.py rebuild_lake --customer 1` writes it anew"


@pytest.fixture(autouse=True)
def _own_lake(settings, tmp_path):
    settings.LAKE_ROOT = tmp_path / "lake"


@pytest.fixture
def cut():
    """The first part of customer 1, cut short; customer 2 is whole."""
    Event.objects.bulk_create([event(1), event(2, user="me"), event(3, customer_id="2")])
    lake.archive()
    part = next(path for path in lake.files("1"))
    part.write_bytes(part.read_bytes()[:-10])
    return part


def findings() -> list[str]:
    return [one.text for one in checks.examine() if one.about == "lake" and not one.well]


def test_says_so_instead_of_answering_with_less(cut, monkeypatch):
    monkeypatch.setattr(lake_merge, "MOST_PARTS_A_DAY", 1)
    event(4).save()
    assert lake.archive() == 1, "new events are added all the same"
    for way in (
        lambda: lake.files("1"),
        lambda: list(places.Lake().find([Span("1", "me")])),
        lambda: places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000),
    ):
        with pytest.raises(Fault, match=CUT):
            way()
    assert read(customer="2") == [("3",)]
    assert len(findings()) == 1
    assert "is damaged" in findings()[0]


@pytest.mark.parametrize("what", ["cut", "empty", "gone", "manifest"])
def test_is_written_anew_from_the_database(cut, what, capsys):
    if what == "empty":
        cut.write_bytes(b"")
    elif what == "gone":
        cut.unlink()
    elif what == "manifest":
        (cut.parents[1] / "manifest.json").write_text('{"version": 1, "fil')
    with pytest.raises(Fault, match="rebuild_lake --customer 1"):
        lake.files("1")
    assert len(findings()) == 1

    call_command("rebuild_lake", customer="1")

    assert capsys.readouterr().out == "2 events of 1 customers were written anew.\n"
    assert read() == [("1",), ("2",)]
    assert read(customer="2") == [("3",)]
    assert findings() == []


def test_is_written_anew_for_everybody_without_a_customer(cut):
    call_command("rebuild_lake")
    assert (len(read()), len(read(customer="2"))) == (2, 1)


def test_still_lets_a_person_go_once_it_is_written_anew(cut):
    call_command("rebuild_lake", customer="1")
    places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000)
    assert not cut.exists(), "nobody can say who is in it"
    assert read() == [("1",)]


def test_does_not_take_whole_files_for_another_databases_when_its_newest_rows_are_gone(cut):
    Event.objects.filter(customer_id="2").delete()  # the newest one
    call_command("rebuild_lake", customer="1")
    event(5).save()
    lake.archive()
    assert read() == [("1",), ("2",), ("5",)]
    assert read(customer="2") == [("3",)]


def test_is_not_written_anew_from_nothing(cut):
    Event.objects.all().delete()
    with pytest.raises(CommandError, match="holds no events"):
        call_command("rebuild_lake")
    assert read(customer="2") == [("3",)]


def test_refuses_a_customer_that_it_does_not_know(cut):
    with pytest.raises(CommandError, match="customer 77 has no files in the lake") as caught:
        call_command("rebuild_lake", customer="77")
    assert caught.value.returncode == 2


def test_leaves_the_files_of_others_alone_and_names_them(tmp_path):
    Event.objects.bulk_create([event(1, user="me"), event(2)])
    lake.archive()
    day = lake.files("1")[0].parent
    foreign = [day / "notes.parquet", day / "notes.txt"]
    for path in foreign:
        path.write_text("mine")
    (tmp_path / "lake/readme.txt").write_text("mine")
    (tmp_path / "lake/other").mkdir()
    lake.archive()
    lake_merge.sweep()
    places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000)
    assert [path.read_text() for path in foreign] == ["mine", "mine"]
    assert read() == [("2",)]
    assert len(findings()) == 1
    assert findings()[0].startswith("2 files in ")
    assert json.loads((day.parent / "manifest.json").read_text())["rows"] == 1

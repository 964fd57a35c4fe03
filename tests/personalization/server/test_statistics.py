"""Statistics: figures of a history made by hand, known by head."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from openpyxl import load_workbook

from personalization.server import rates
from personalization.server.models import CallCount, ExchangeRate, Scenario, ScenarioTest
from personalization.server.statistics import calls, experiments, outcomes, sheets
from personalization.server.statistics.groups import Group
from personalization.server.statistics.report import Report, report
from personalization.server.statistics.significance import takes_b, verdict
from personalization.server.statistics.spans import PRESETS, WrongSpan, custom, preset
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, new_account
from tests.personalization.server.made import did
from tracking import identity, replay
from tracking.replay import HistoricEvent

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
MINUTE = 1 / 1440


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    calls.board.forget()
    made.forget()


@pytest.fixture
def shop(db: None) -> Account:
    return new_account("Shop", kind="commerce")


def last_day(account: Account) -> Report:
    return report(account.customer_id, preset("day", now=datetime.now(UTC)))


def followed(user: str, item: int, *, minutes: float, scenario: str = "front") -> list[made.Did]:
    return did("clickrecommended", user, item, days=minutes * MINUTE, scenario=scenario, model_id="7")


def bought(
    user: str, item: int, *, minutes: float, price: str = "10.00", currency: str = "EUR", **more: Any
) -> Any:
    return did("buy", user, item, days=minutes * MINUTE, price=price, currency=currency, **more)


def test_it_counts_events_by_hour(shop: Account) -> None:
    made.happened(shop.customer_id, did("click", "a", 1, days=0.1) + did("click", "b", 2, days=0.1))
    made.happened(shop.customer_id, did("consume", "b", 2, days=0.5) + did("click", "c", 1, days=1.5))
    found = last_day(shop)
    assert {code: sum(counts) for code, counts in found.events.items()} == {"click": 2, "consume": 1}
    assert len(found.events["click"]) == 24
    assert found.events["click"][21] == 2
    assert (found.users, found.items) == (2, 2)
    assert [(one["item_id"], one["clicked"]) for one in found.popular] == [("1", 1), ("2", 1)]


def test_it_ascribes_a_purchase_to_the_recommendation_within_half_an_hour(shop: Account) -> None:
    customer = shop.customer_id
    made.happened(customer, followed("in", 1, minutes=100) + bought("in", 1, minutes=71, quantity=2))
    made.happened(customer, followed("out", 1, minutes=100) + bought("out", 1, minutes=69.9))
    made.happened(customer, followed("other", 2, minutes=100) + bought("other", 1, minutes=99))
    made.happened(customer, bought("before", 1, minutes=100) + followed("before", 1, minutes=99))
    sold = last_day(shop).revenue
    assert (sold.total, sold.recommended) == (Decimal(50), Decimal(20))
    assert (sold.pieces, sold.pieces_recommended) == (5, 2)


def test_it_counts_a_purchase_once_for_the_newest_click(shop: Account) -> None:
    customer = shop.customer_id
    made.happened(customer, followed("a", 1, minutes=50, scenario="front"))
    made.happened(customer, followed("a", 1, minutes=45, scenario="detail") + bought("a", 1, minutes=40))
    found = last_day(shop)
    assert found.revenue.recommended == Decimal(10)
    assert {name: line.revenue for name, line in found.scenarios.items()} == {
        "front": 0,
        "detail": Decimal(10),
    }
    [one] = found.details
    assert (one["scenario"], one["minutes"], one["amount"]) == ("detail", 5.0, Decimal(10))


def test_it_counts_a_click_before_the_login_for_the_account(shop: Account) -> None:
    customer = shop.customer_id
    made.happened(customer, followed("device", 1, minutes=50) + bought("account", 1, minutes=40))
    login = HistoricEvent(
        event="login", user="account", source="device", ts=datetime.now(UTC) - timedelta(minutes=45)
    )
    replay.store(customer, [login])
    found = last_day(shop)
    assert found.revenue.recommended == Decimal(10)
    assert found.users == 1


def test_it_explains_a_purchase_at_the_edge_by_a_click_before_the_range(shop: Account) -> None:
    now = datetime.now(UTC)
    made.happened(shop.customer_id, followed("a", 1, minutes=65) + bought("a", 1, minutes=55))
    found = report(shop.customer_id, custom(now - timedelta(hours=1), now))
    assert found.revenue.recommended == Decimal(10)
    assert "clickrecommended" not in found.events


def test_it_converts_by_the_rate_of_the_day_and_shows_what_has_none(shop: Account) -> None:
    today = datetime.now(UTC).date()
    rates.store(
        [
            rates.Rate(day=today - timedelta(days=9), currency="USD", rate=Decimal("1.25")),
            rates.Rate(day=today + timedelta(days=1), currency="USD", rate=Decimal(2)),
        ]
    )
    made.happened(shop.customer_id, bought("a", 1, minutes=50, currency="USD") + bought("b", 1, minutes=50))
    made.happened(shop.customer_id, bought("c", 1, minutes=50, currency="CHF", quantity=3))
    sold = last_day(shop).revenue
    assert sold.total == Decimal(18)
    assert sold.missing == {"CHF": Decimal(30)}


def test_it_adds_up_in_the_currency_of_the_account(shop: Account, settings: Any) -> None:
    settings.ACCOUNT_CURRENCY = "USD"
    long_ago = date(2020, 1, 1)
    rates.store(
        [
            rates.Rate(day=long_ago, currency=name, rate=rate)
            for name, rate in (("USD", Decimal("1.1")), ("CHF", Decimal("0.5")))
        ]
    )
    made.happened(shop.customer_id, bought("a", 1, minutes=50, currency="CHF"))
    assert last_day(shop).revenue.total == Decimal(22)


def test_it_reads_rates_of_both_forms(tmp_path: Path) -> None:
    long, wide = tmp_path / "long.csv", tmp_path / "wide.csv"
    long.write_text("date,currency,rate\n2026-01-02,usd,1.1\n2026-01-02,JPY,160.5\n")
    wide.write_text("Date,USD,JPY,CYP,\n2026-01-03,1.2,161,N/A,\n2026-01-02,1.15,,N/A,\n\n")
    out = StringIO()
    call_command("import_rates", str(long), stdout=out)
    call_command("import_rates", str(wide), stdout=out)
    assert out.getvalue() == "2 rates are stored.\n3 rates are stored.\n"
    table = rates.table()
    assert table.rate_of("USD", date(2026, 1, 2)) == Decimal("1.15")
    assert table.rate_of("JPY", date(2026, 1, 2)) == Decimal("160.5")
    assert table.rate_of("USD", date(2026, 1, 1)) is None
    assert table.rate_of("EUR", date(1999, 1, 1)) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be called date"),
        ("day,currency,rate\n", "must be called date"),
        ("date,currency,rate\n2026-01-02,USD,1\n2026-02-30,USD,1\n", "Line 3"),
        ("date,currency,rate\n2026-01-02,USD,one\n", "no number"),
        ("date,currency,rate\n2026-01-02,USD,0\n", "positive"),
        ("date,currency,rate\n2026-01-02,USD,NaN\n", "positive"),
        ("date,currency,rate\n2026-01-02,DOLLAR,1\n", "three letters"),
    ],
)
def test_it_stores_no_rate_of_a_file_with_a_fault(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=words) as fault:
        call_command("import_rates", str(file))
    assert fault.value.returncode == 2
    assert not ExchangeRate.objects.exists()


def ready(customer: str) -> None:
    made.stored(customer, {1: {}, 2: {}})
    made.happened(customer, did("click", "a", 1, 2) + did("click", "b", 1))
    made.model(customer, "popularity", signal="click")
    made.scenario(customer, "made")
    made.scenario(customer, "made", identifier="other")


def test_it_counts_calls_and_what_they_delivered(client: Client, shop: Account) -> None:
    ready(shop.customer_id)
    for _ in range(3):
        assert client.get(f"/api/v2/{shop.customer_id}/me/made.json").status_code == 200
    client.get(f"/api/{shop.customer_id}/me/other.json?numrecs=1")
    client.get(f"/api/v2/{shop.customer_id}/me/none.json")
    made.happened(shop.customer_id, followed("a", 1, minutes=5, scenario="made"))
    found = last_day(shop)
    assert {name: (line.calls, line.delivered) for name, line in found.scenarios.items()} == {
        "made": (3, 6),
        "other": (1, 1),
    }
    assert found.scenarios["made"].conversion == pytest.approx(1 / 3)
    assert found.models["made"].calls == 4
    assert (found.total.calls, found.total.followed, sum(found.calls)) == (4, 1, 4)


def test_it_loses_no_calls_while_it_writes_again_and_again(shop: Account) -> None:
    for _ in range(3):
        calls.board.count("1", "front", ["a", "b", "a"])
        calls.board.flush()
    rows = CallCount.objects.values_list("scenario", "model", "calls", "delivered")
    assert sorted(rows) == [("front", "", 3, 9), ("front", "a", 3, 6), ("front", "b", 3, 3)]


def test_it_keeps_customers_apart(shop: Account) -> None:
    made.happened(shop.customer_id, did("click", "a", 1, days=0.1))
    calls.board.count(shop.customer_id, "front", [])
    other = last_day(new_account("Other"))
    assert (other.events, other.users, other.total.calls, other.revenue.total) == ({}, 0, 0, 0)


def test_it_writes_a_workbook(shop: Account) -> None:
    made.happened(
        shop.customer_id, followed("a", 1, minutes=50, scenario="=1+1") + bought("a", 1, minutes=40)
    )
    made.happened(shop.customer_id, bought("c", 1, minutes=50, currency="CHF"))
    book = load_workbook(BytesIO(sheets.workbook(last_day(shop))))
    assert book.sheetnames == ["Events", "Scenarios", "Models", "Revenue", "Popular items", "Purchases"]
    assert [cell.value for cell in book["Scenarios"][2]][:1] == ["'=1+1"]
    told = {row[0].value: row[1].value for row in book["Revenue"].iter_rows()}
    assert told["Through recommendations"] == 10
    assert told["Not included for want of a rate: CHF"] == 10
    assert book["Events"].max_row == 25


def test_its_command_prints_and_writes(shop: Account, tmp_path: Path) -> None:
    made.happened(shop.customer_id, bought("a", 1, minutes=40))
    out, file = StringIO(), tmp_path / "report.xlsx"
    call_command("statistics", customer=shop.customer_id, range="week", json=True, xlsx=file, stdout=out)
    told = json.loads(out.getvalue())
    assert told["revenue"]["total"] == "10.00"
    assert told["slice_seconds"] == 12 * 3600
    assert load_workbook(file).sheetnames[0] == "Events"
    out = StringIO()
    call_command("statistics", customer=shop.customer_id, stdout=out)
    assert "Revenue 10.00 EUR" in out.getvalue()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"customer": "0"}, "is unknown"),
        ({"begin": "yesterday"}, "2026-01-31"),
        ({"end": "2026-01-01"}, "needs a --from"),
        ({"begin": "2026-01-02", "end": "2026-01-01"}, "begin before it ends"),
        ({"begin": "1990-01-01", "end": "2026-01-01"}, "slices"),
    ],
)
def test_its_command_refuses_wrong_use(shop: Account, options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words) as fault:
        call_command("statistics", **{"customer": shop.customer_id} | options)
    assert fault.value.returncode == 2


def test_it_divides_a_range_like_the_preset_that_is_as_long() -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    for name, (length, part) in PRESETS.items():
        assert preset(name, now=now).slice == custom(now - length, now).slice == part
    assert len(preset("month", now=now).slices()) == 30
    with pytest.raises(WrongSpan):
        custom(now, now)


def test_it_tells_a_better_scenario_from_a_lucky_one() -> None:
    """Figures of the two-proportion z-test by hand: p = 0.0007 for 100 and 150 of 1,000 each."""
    sure = verdict(followed_a=100, calls_a=1000, followed_b=150, calls_b=1000)
    assert sure is not None
    assert sure.is_significant
    assert sure.p == pytest.approx(0.00072, abs=2e-5)
    assert sure.difference == pytest.approx(0.05)
    assert 0 < sure.low < sure.difference < sure.high
    lucky = verdict(followed_a=10, calls_a=100, followed_b=15, calls_b=100)
    assert lucky is not None
    assert not lucky.is_significant
    assert lucky.low < 0 < lucky.high
    assert lucky.needed == pytest.approx(683, abs=2)
    assert lucky.more == pytest.approx(2 * 683 - 200, abs=4)
    same = verdict(followed_a=0, calls_a=10, followed_b=0, calls_b=10)
    assert same is not None
    assert (same.p, same.needed, same.more) == (1.0, None, None)
    assert verdict(followed_a=0, calls_a=0, followed_b=1, calls_b=1) is None
    with pytest.raises(ValueError, match="cannot have been followed"):
        verdict(followed_a=2, calls_a=1, followed_b=0, calls_b=1)


def test_it_asks_for_more_calls_where_the_groups_are_unequal_and_trusts_no_handful() -> None:
    unequal = verdict(followed_a=180, calls_a=1800, followed_b=24, calls_b=200)
    assert unequal is not None
    assert unequal.needed is not None
    assert unequal.more is not None
    assert unequal.more > 2 * unequal.needed - 2000
    handful = verdict(followed_a=0, calls_a=20, followed_b=5, calls_b=20)
    assert handful is not None
    assert handful.p < 0.05
    assert (handful.is_significant, handful.more) == (False, None)


def test_it_gives_a_user_the_same_scenario_every_time() -> None:
    drawn = [takes_b(f"user{n}", "1", share_b=20) for n in range(5000)]
    assert 900 < sum(drawn) < 1100
    assert drawn == [takes_b(f"user{n}", "1", share_b=20) for n in range(5000)]
    assert drawn != [takes_b(f"user{n}", "2", share_b=20) for n in range(5000)]


def test_it_answers_some_users_by_the_other_scenario_while_a_test_runs(client: Client, shop: Account) -> None:
    ready(shop.customer_id)
    test = experiments.begin(shop.customer_id, scenario_a="made", scenario_b="other", share_b=50, weeks=1)
    made.forget()

    def scenarios() -> list[str]:
        found = []
        for n in range(40):
            answer = client.get(f"/api/v2/{shop.customer_id}/user{n}/made.json")
            found.append(
                answer.json()["recommendationItems"][0]["links"]["rendered"].split("scenario=")[1][:5]
            )
            assert answer["Expires"] == answer["Last-Modified"]
        return found

    first = scenarios()
    assert 8 < first.count("other") < 32
    assert first == scenarios()
    experiments.end(test)
    made.forget()
    answers = {
        client.get(f"/api/v2/{shop.customer_id}/user{n}/made.json").content.count(b"other") for n in range(40)
    }
    assert answers == {0}
    test.refresh_from_db()
    assert test.status_at(datetime.now(UTC)) == ScenarioTest.Status.ARCHIVED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"share_b": 0}, "1 to 50"),
        ({"share_b": 51}, "1 to 50"),
        ({"weeks": 9}, "1 to 8"),
        ({"scenario_b": "made"}, "named twice"),
        ({"scenario_b": "none"}, "no scenario none"),
        ({"starts_at": datetime(2020, 1, 1, tzinfo=UTC)}, "in the past"),
        ({"scenario_b": "typed"}, "same output types"),
        ({"scenario_b": "third"}, "tested already"),
    ],
)
def test_it_begins_no_test_that_makes_no_sense(shop: Account, changes: dict[str, Any], words: str) -> None:
    ready(shop.customer_id)
    made.scenario(shop.customer_id, "made", identifier="third")
    made.scenario(shop.customer_id, "made", identifier="typed", output_types=[38])
    Scenario.objects.filter(identifier="made").update(output_types=[])
    experiments.begin(shop.customer_id, scenario_a="third", scenario_b="other")
    with pytest.raises(experiments.WrongTest, match=words):
        experiments.begin(shop.customer_id, **{"scenario_a": "made", "scenario_b": "other"} | changes)
    assert ScenarioTest.objects.count() == 1


def compared(shop: Account, *, hours: float, lasted: float = 1e6) -> ScenarioTest:
    """A test that began so many hours ago."""
    starts = datetime.now(UTC) - timedelta(hours=hours)
    return ScenarioTest.objects.create(
        customer_id=shop.customer_id,
        scenario_a="front",
        scenario_b="detail",
        share_b=30,
        starts_at=starts,
        ends_at=starts + timedelta(hours=min(lasted, hours + 100)),
    )


def asked(shop: Account, scenario: str, *, hours: float, calls: int) -> None:
    hour = (datetime.now(UTC) - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    CallCount.objects.create(customer_id=shop.customer_id, scenario=scenario, hour=hour, calls=calls)


def test_it_compares_both_scenarios_in_the_full_hours_of_a_test(shop: Account) -> None:
    test = compared(shop, hours=30)
    for scenario, n in (("front", 70), ("detail", 30)):
        asked(shop, scenario, hours=30, calls=1000)  # the hour in which it began
        asked(shop, scenario, hours=20, calls=n)
    made.happened(
        shop.customer_id,
        followed("a", 1, minutes=20 * 60) + bought("a", 1, minutes=20 * 60 - 5, price="4.00", quantity=2),
    )
    made.happened(shop.customer_id, followed("b", 2, minutes=19 * 60, scenario="detail"))
    found = outcomes.outcome(test)
    assert found is not None
    assert [(side.line.calls, side.line.followed, side.bought) for side in (found.a, found.b)] == [
        (70, 1, 2),
        (30, 1, 0),
    ]
    assert (found.a.line.revenue, found.b.line.revenue) == (Decimal(8), Decimal(0))
    assert found.verdict is not None
    assert not found.verdict.is_significant
    assert outcomes.outcome(compared(shop, hours=0.001)) is None


def test_the_groups_of_its_events_are_those_that_were_answered(shop: Account) -> None:
    test = compared(shop, hours=30)
    users = [f"user{n}" for n in range(60)]
    for user in users:
        made.happened(shop.customer_id, did("consume", user, 1, 2, days=0.5))
    made.happened(shop.customer_id, did("consume", "not_defined", 1, days=0.5))
    found = outcomes.outcome(test)
    assert found is not None
    names = [identity.pseudonym(shop.customer_id, user) for user in users]
    of_b = sum(takes_b(name, str(test.pk), share_b=30) for name in names)
    assert 5 < of_b < 30
    assert found.b.group == Group(users=of_b, consumed=2 * of_b)
    assert found.a.group == Group(users=60 - of_b, consumed=2 * (60 - of_b))


def test_it_ends_a_test_once_and_one_that_has_not_begun_at_once(shop: Account) -> None:
    ready(shop.customer_id)
    later = datetime.now(UTC) + timedelta(days=2)
    test = experiments.begin(shop.customer_id, scenario_a="made", scenario_b="other", starts_at=later)
    assert test.status_at(datetime.now(UTC)) == ScenarioTest.Status.PREPARED
    assert experiments.end(test)
    test.refresh_from_db()
    assert test.status_at(datetime.now(UTC)) == ScenarioTest.Status.ARCHIVED
    assert not experiments.end(test)
    assert outcomes.outcome(test) is None

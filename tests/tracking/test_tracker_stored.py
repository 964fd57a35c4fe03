"""The JavaScript tracker and a real collector: every command ends as the row it stands for ..."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.tracking.collector_process import CollectorProcess, environment, prepare

from .shop import Shop

pytestmark = pytest.mark.browser
COLUMNS = (
    "event, item_type, item_id, quantity, price, currency, percentage, rating, scenario, lang, trigger_name"
)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    env = environment(tmp_path_factory.mktemp("collector"))
    prepare(env)
    process = CollectorProcess(env)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def page(shop: Shop, collector: CollectorProcess, context: BrowserContext) -> Page:
    """A page of another origin than the collector's."""
    endpoint = f"http://127.0.0.1:{collector.port}"
    shop.policy += f"; connect-src {endpoint}"
    shop.policy = shop.policy.replace("connect-src 'self'; ", "")
    shop.show(attributes=f'data-customer="4711" data-endpoint="{endpoint}"')
    opened = context.new_page()
    opened.goto(shop.url)
    return opened


def push(page: Page, *commands: list[Any]) -> None:
    page.evaluate("commands => _ycq.push(...commands)", list(commands))


def rows(collector: CollectorProcess, columns: str, count: int, where: str = "1") -> list[tuple[Any, ...]]:
    """The stored rows, once there are ``count`` and no more come."""
    database = Path(collector.env["LODESTAR_VAR_DIR"]) / "events.sqlite3"
    deadline = time.monotonic() + 25
    while True:
        with sqlite3.connect(database) as connection:
            found = connection.execute(f"SELECT {columns} FROM tracking_event WHERE {where}").fetchall()  # noqa: S608
        if len(found) >= count or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return sorted(found, key=str)


EVENTS: list[tuple[list[Any], tuple[Any, ...]]] = [
    (["click", "11", "", "?lang=eng-GB"], ("click", 1, "11", None, None, "", None, None, "", "eng-GB", "")),
    (["consume", 12, "", "?percentage=90"], ("consume", 1, "12", None, None, "", 90, None, "", "", "")),
    (
        ["buy", 13, "", "?quantity=2&fullprice=2.50EUR"],
        ("buy", 1, "13", 2, 2.5, "EUR", None, None, "", "", ""),
    ),
    (["basket", 14, ""], ("basket", 1, "14", None, None, "", None, None, "", "", "")),
    (["deletefrombasket", 15, ""], ("deletefrombasket", 1, "15", None, None, "", None, None, "", "", "")),
    (
        ["wishlist", 16, "", "?price=9.99EUR"],
        ("wishlist", 1, "16", None, 9.99, "EUR", None, None, "", "", ""),
    ),
    (["deletefromwishlist", 17, ""], ("deletefromwishlist", 1, "17", None, None, "", None, None, "", "", "")),
    (["rate", 18, "", "?rating=80"], ("rate", 1, "18", None, None, "", None, 80, "", "", "")),
    (["blacklist", 19, ""], ("blacklist", 1, "19", None, None, "", None, None, "", "", "")),
    (["owns", 20, ""], ("owns", 1, "20", None, None, "", None, None, "", "", "")),
    (
        ["clickrecommended", 21, "", "?scenario=front"],
        ("clickrecommended", 1, "21", None, None, "", None, None, "front", "", ""),
    ),
    (
        ["clicktriggered", 22, "", "?triggername=sale"],
        ("clicktriggered", 1, "22", None, None, "", None, None, "", "", "sale"),
    ),
]


def test_it_stores_every_event_of_the_protocol(page: Page, collector: CollectorProcess) -> None:
    push(page, *(["_trackEvent", "1", *event] for event, _row in EVENTS))
    found = rows(collector, COLUMNS, len(EVENTS), "item_id BETWEEN '11' AND '22'")
    assert found == sorted((row for _event, row in EVENTS), key=str)
    [(users,)] = rows(
        collector, "count(DISTINCT user) FILTER (WHERE user <> '')", 1, "item_id BETWEEN '11' AND '22'"
    )
    assert users == 1


def test_it_stores_the_other_commands(page: Page, collector: CollectorProcess) -> None:
    push(
        page,
        ["_trackEvent", 2, "rendered", "31,32,33", "", "?scenario=front"],
        ["_trackEvent", "", "triggeropened", "", "", "?triggername=mail"],
        ["_trackTimedEvent", 2, "consume", 34, "250", ""],
        ["_trackPageview", 35],
        ["_login", "", "john"],
        ["_trackEvent", 2, "click", 36, "not_defined"],
    )
    where = "item_id BETWEEN '31' AND '36' OR event = 'login' OR trigger_name = 'mail'"
    found = rows(collector, "event, item_type, item_id, user <> ''", 8, where)
    assert found == [
        ("click", 1, "35", 1),
        ("click", 2, "36", 0),
        ("consume", 2, "34", 1),
        ("login", None, "", 1),
        ("rendered", 2, "31", 1),
        ("rendered", 2, "32", 1),
        ("rendered", 2, "33", 1),
        ("triggeropened", None, "", 1),
    ]


def test_it_stores_once_what_was_sent_again_after_a_lost_answer(
    page: Page, collector: CollectorProcess, context: BrowserContext
) -> None:
    lost: list[str] = []

    def lose(route: Any) -> None:
        route.fetch()  # it arrives and is stored
        lost.append(route.request.url)
        route.abort()

    page.route("**/api/**", lose)
    push(page, ["_trackEvent", 3, "click", 41, ""])
    while not lost:
        page.wait_for_timeout(50)
    page.unroute_all()
    context.set_offline(True)
    push(page, ["_trackEvent", 3, "click", 42, ""])
    page.wait_for_timeout(300)
    context.set_offline(False)

    assert [item for (item,) in rows(collector, "item_id", 2, "item_type = 3")] == ["41", "42"]
    page.wait_for_function("() => !localStorage.lodestar")
    assert [item for (item,) in rows(collector, "item_id", 2, "item_type = 3")] == ["41", "42"]


def test_it_stores_what_was_read_of_a_page_that_was_closed(page: Page, collector: CollectorProcess) -> None:
    push(page, ["_trackTimedEvent", 4, "consume", 51, 5000, ""])
    page.wait_for_timeout(2600)
    page.close(run_before_unload=True)
    [(item, percentage)] = rows(collector, "item_id, percentage", 1, "item_type = 4")
    assert item == "51"
    assert 30 <= percentage <= 60

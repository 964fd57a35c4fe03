"""Who may send events, and how many: license key, origins, budget, robots."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from config.customers.directory import CustomerAccount, license_key_digest
from config.customers.gates import NO_ORIGIN, gate_of
from config.customers.models import Customer
from config.site_access import EventGate
from tests.tracking.conftest import NOW, account
from tracking.collector import gate, intake
from tracking.collector.answers import refusal
from tracking.collector.intake import Accepted
from tracking.fields import BadEvent

CLICK = b"/api/501/click/u/1/2"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"
BATCH = b'[{"event": "click", "user": "u", "itemtype": 1, "item": 2}]'


@pytest.fixture(autouse=True)
def _fresh_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = gate.Budgets()
    monkeypatch.setattr(gate, "budgets", fresh)
    monkeypatch.setattr("tracking.collector.quick.budgets", fresh)


def customer(**rules: Any) -> CustomerAccount:
    digests = (license_key_digest("key-1"),)
    return replace(account("501"), gate=EventGate(**rules), license_key_digests=digests)


def send(
    one: CustomerAccount, target: bytes = CLICK, *, now: int = NOW, body: bytes = b"", **headers: str
) -> Accepted:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    method = "POST" if body else "GET"
    return intake.accept(target, method=method, headers=named, body=body, find={"501": one}.get, now=now)


def refused(one: CustomerAccount, **how: Any) -> BadEvent:
    with pytest.raises(BadEvent) as caught:
        send(one, **how)
    return caught.value


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_it_takes_events_with_the_license_key_where_it_is_asked_for() -> None:
    assert len(send(customer(needs_license_key=True), authorization=basic("501:key-1")).rows) == 1


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic /w==",
        basic("501:key-2"),
        basic("502:key-1"),
        basic("501"),
        basic("501:" + "k" * 2000),
        "Bearer key-1",
        "Digest x",
    ],
)
@pytest.mark.parametrize("target", [CLICK, b"/api/501/clik/u/1/2", b"/api/501/events"])
def test_it_refuses_events_without_the_license_key(authorization: str, target: bytes) -> None:
    reason = refused(customer(needs_license_key=True), target=target, authorization=authorization)

    assert reason.status == 401
    assert "license key" in reason.message
    assert "key-2" not in reason.message
    assert ("WWW-Authenticate", 'Basic realm="events"') in refusal(reason, {}).headers


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "Basic"),
        ({"user-agent": "curl/8.5.0", "accept": "*/*"}, "Basic"),
        ({"user-agent": "Java/21", "accept": "text/html, image/gif, *; q=.2"}, "Basic"),
        ({"user-agent": CHROME, "accept": "*/*"}, "LicenseKey"),
        ({"origin": "https://www.example.org"}, "LicenseKey"),
        ({"accept": "image/avif,image/webp,*/*;q=0.8"}, "LicenseKey"),
    ],
)
def test_it_asks_servers_for_the_key_and_no_visitor_for_a_password(
    headers: dict[str, str], scheme: str
) -> None:
    reason = refused(customer(needs_license_key=True), **headers)
    answer = refusal(reason, headers)

    assert answer.status == 401
    assert [value for name, value in answer.headers if name == "WWW-Authenticate"] == [
        f'{scheme} realm="events"'
    ]


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("https://www.shop.example", True),
        ("https://WWW.shop.example", True),
        ("", True),  # a server
        ("https://evil.example", False),
        ("http://www.shop.example", False),
        ("https://www.shop.example:8443", False),
        ("https://www.shop.example.evil.example", False),
        ("null", False),
        ("https://[broken", False),
    ],
)
def test_it_takes_events_of_named_origins_only(origin: str, *, taken: bool) -> None:
    shop = customer(origins=("https://www.shop.example",))
    if taken:
        assert len(send(shop, origin=origin).rows) == 1
    else:
        reason = refused(shop, origin=origin)
        assert reason.status == 403
        assert "takes no events from pages of" in reason.message


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"referer": "https://www.shop.example/a/page?q=1"}, True),
        ({"referer": "https://WWW.shop.example:443/"}, True),
        ({"referer": "https://www.shop.example", "sec_fetch_site": "cross-site"}, True),
        ({"referer": "https://evil.example/", "origin": "https://www.shop.example"}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),  # typed by somebody
        ({"referer": "https://evil.example/"}, False),
        ({"referer": "https://www.shop.example:8443/"}, False),
        ({"referer": "https://www.shop.example@evil.example/"}, False),
        ({"referer": "https://[broken/"}, False),
        ({"referer": "about:blank"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
    ],
)
def test_it_judges_pictures_by_the_page_that_shows_them(headers: dict[str, str], *, taken: bool) -> None:
    shop = customer(origins=("https://www.shop.example",))
    if taken:
        assert len(send(shop, **headers).rows) == 1
    else:
        reason = refused(shop, **headers)
        assert reason.status == 403
        assert "takes no events from pages of" in reason.message
    assert len(send(customer(), **headers).rows) == 1


def test_it_answers_429_over_the_budget_until_the_second_is_over() -> None:
    small = customer(events_per_second=3)
    for _ in range(3):
        send(small)
    reason = refused(small, now=NOW + 999_999)
    assert reason.status == 429
    assert "has sent its 3 events of this second" in reason.message
    assert ("Retry-After", "1") in refusal(reason, {}).headers
    send(small, now=NOW + 1_000_000)


def test_it_counts_the_events_of_a_batch_and_of_posts() -> None:
    small = customer(events_per_second=3)
    many = b"[" + b",".join([BATCH[1:-1]] * 3) + b"]"
    assert len(send(small, b"/api/501/events", body=many, content_type="application/json").rows) == 3
    assert (
        refused(small, target=b"/api/501/events", body=BATCH, content_type="application/json").status == 429
    )
    assert refused(small, dnt="1").status == 429


def test_it_counts_the_events_of_a_batch_that_it_refuses() -> None:
    """They cost as much as others."""
    small = customer(events_per_second=3)
    body = b'[{"event": "clik"}, {"event": "rendered", "user": "u", "itemtype": 1, "item": [7, 7]}]'
    assert len(send(small, b"/api/501/events", body=body, content_type="application/json").rows) == 1
    assert refused(small).status == 429


def test_it_takes_a_batch_bigger_than_the_whole_budget_when_nothing_was_spent() -> None:
    """Else it could never be sent."""
    many = b"[" + b",".join([BATCH[1:-1]] * 5) + b"]"
    small = customer(events_per_second=3)
    assert len(send(small, b"/api/501/events", body=many, content_type="application/json").rows) == 5
    assert refused(small).status == 429


def test_it_leaves_other_customers_their_budget() -> None:
    small = customer(events_per_second=1)
    send(small)
    assert refused(small).status == 429
    other = replace(small, customer_id="502")
    rows = intake.accept(b"/api/502/click/u/1/2", method="GET", headers={}, find={"502": other}.get, now=NOW)
    assert len(rows.rows) == 1


@pytest.mark.parametrize("rules", [{}, {"events_per_second": 0}])
def test_it_has_room_for_a_busy_customer_by_default(rules: dict[str, int]) -> None:
    busy = customer(**rules)
    for _ in range(2_000):
        send(busy)


A, B, C = "https://a.example", "https://b.example", "https://c.example"


@pytest.mark.parametrize(
    ("declared", "own", "both"),
    [
        ((A, B), (B, C), (B,)),
        ((A, B), (), (A, B)),
        ((), (B,), (B,)),
        ((), (), ()),
        ((A,), (B,), NO_ORIGIN),
    ],
)
def test_it_takes_events_of_origins_that_both_places_name(
    declared: tuple[str, ...], own: tuple[str, ...], both: tuple[str, ...]
) -> None:
    row = Customer(customer_id="501", allowed_origins="\n".join(own))
    assert gate_of(row, EventGate(origins=declared)).origins == both


def test_it_takes_events_of_no_page_where_two_places_have_no_origin_in_common() -> None:
    nowhere = customer(origins=NO_ORIGIN)
    for origin in (A, B, "NONE", "none", "null"):
        assert refused(nowhere, origin=origin).status == 403
    assert refused(nowhere, referer="NONE").status == 403
    assert len(send(nowhere).rows) == 1


@pytest.mark.parametrize(
    ("declared", "own", "budget"),
    [(100, None, 100), (100, 50, 50), (50, 100, 50), (0, 20, 20), (20, 0, 20), (0, 0, 0), (0, None, 0)],
)
def test_it_leaves_the_smaller_budget_to_a_customer_of_two_places(
    declared: int, own: int | None, budget: int
) -> None:
    row = Customer(customer_id="501", events_per_second=own)
    assert gate_of(row, EventGate(events_per_second=declared)).events_per_second == budget


@pytest.mark.parametrize(("own", "budget"), [(None, 50_000), (0, 0), (60_000, 60_000)])
def test_it_leaves_the_default_to_customers_of_the_table(own: int | None, budget: int) -> None:
    row = Customer(customer_id="501", events_per_second=own)
    assert gate_of(row, None) == EventGate(events_per_second=budget)


def test_it_keeps_what_the_sites_file_alone_can_say() -> None:
    row = Customer(customer_id="501", needs_license_key=True)
    declared = EventGate(stores_robots=True, signed_users=True)
    assert gate_of(row, declared) == replace(declared, needs_license_key=True)


ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "ia_archiver",
]
PEOPLE = [
    CHROME,
    "Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT; X9) AppleWebKit/537.36",
    "x" * 30_000 + " Googlebot/2.1",  # read no further than a robot says what it is
    "",
    "curl/7.88.1",
    "python-requests/2.32",
    "Mozilla/5.0 (Linux; Android 11; CUBOT X30) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/150.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
]


@pytest.mark.parametrize("agent", ROBOTS)
def test_it_answers_robots_and_stores_nothing_of_them(agent: str) -> None:
    found = send(customer(), user_agent=agent)
    assert (found.rows, found.answer.status) == ([], 204)
    assert len(send(customer(stores_robots=True), user_agent=agent).rows) == 1


@pytest.mark.parametrize("agent", PEOPLE)
def test_it_takes_nobody_else_for_a_robot(agent: str) -> None:
    assert len(send(customer(), user_agent=agent).rows) == 1

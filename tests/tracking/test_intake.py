"""The event intake ..."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import intake
from tracking.events import RULES, Shape
from tracking.fields import BadEvent
from tracking.identity import pseudonym


def test_reads_the_click_of_the_documentation(accept):
    [row] = accept("/api/00000/click/Js79009234YU7/1/123?categorypath=%2FShoes%2FChildren").rows
    assert (row.event, row.item_type, row.item_id) == ("click", 1, "123")
    assert row.user == pseudonym("00000", "Js79009234YU7")
    assert row.category_path == "Shoes/Children"
    assert row.ts == row.received == NOW


@pytest.mark.parametrize("code", RULES)
def test_accepts_every_event_code(accept, code):
    rule = RULES[code]
    tail = {Shape.ITEM: "u/1/2", Shape.ITEMS: "u/1/2,3", Shape.LOGIN: "u/v", Shape.USER: "u"}[rule.shape]
    needed = "&".join(f"{p.name}=5" for p in rule.required)
    rows = accept(f"/api/00000/{code}/{tail}?{needed}").rows
    assert {row.event for row in rows} == {code}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "/api/00000/buy/johndoe/1/129?quantity=2&fullprice=4.44EUR",
            {"quantity": 2, "price": "4.44", "currency": "EUR"},
        ),
        ("/api/00000/buy/johndoe/1/129", {"quantity": 1, "price": None, "currency": ""}),
        ("/api/00000/buy/j/1/1?orderid=A%202041", {"order_id": "A 2041", "quantity": 1}),
        ("/api/00000/buy/j/1/1?price=1999", {"price": "19.99", "currency": "EUR"}),
        ("/api/00000/buy/j/1/1?price=456&currency=JPY", {"price": "456", "currency": "JPY"}),
        ("/api/00000/buy/j/1/1?fullprice=456.5JPY", {"price": "456.5", "currency": "JPY"}),
        ("/api/00000/wishlist/j/1/1?price=2.50EUR", {"price": "2.50", "currency": "EUR", "quantity": None}),
        ("/api/00000/consume/j/3/452?percentage=60", {"percentage": 60}),
        ("/api/00000/rate/j/1/133?rating=5", {"rating": 5}),
        ("/api/00000/follow/j/1/5?scenario=front", {"event": "clickrecommended", "scenario": "front"}),
        (
            "/api/00000/clickrecommended/j/1/5?scenario=a&modelId=37&requestuuid=ab-1&categorypath=X",
            {"model_id": "37", "request_uuid": "ab-1", "category_path": "X"},
        ),
        ("/api/00000/click/j/1/007", {"item_id": "7"}),
        ("/api/00000/click/j/1/7/", {"item_id": "7"}),
        ("/api/00000/click/j/1/7?categorypath=%2FCameras%2F&lang=eng-GB&utm=1&utm=2", {"lang": "eng-GB"}),
        ("/api/00000/click/j/1/7?categorypath=Compact+Cameras", {"category_path": "Compact Cameras"}),
        ("/api/00000/click/j/1/7?segments=7,11,14&eventid=abc", {"segments": "7,11,14", "event_id": "abc"}),
        ("/api/00000/click/not_defined/1/7", {"user": ""}),
        ("/ebl/00000/click/j/1/7", {"event": "click"}),
        ("http://event.example/api/00000/click/j/1/7", {"event": "click"}),
        ("/api/strings/click/j/1/SKU%2F7,a", {"item_id": "SKU/7,a"}),
        ("/api/strings/click/j/1/007", {"item_id": "007"}),
        (
            "/api/00000/triggeropened/j?triggername=abandoned",
            {"trigger_name": "abandoned", "item_type": None},
        ),
    ],
)
def test_stores_what_the_address_says(accept, target, expected):
    [row] = accept(target).rows
    assert {name: getattr(row, name) for name in expected} == expected


@pytest.mark.parametrize("user", ["..", "%2e%2e", "a%2Fb", "Ü", "%C3%9C", "1", "a%20b", "x" * 1024])
def test_takes_any_text_as_a_user_id(accept, user):
    from urllib.parse import unquote

    [row] = accept(f"/api/00000/click/{user}/1/2").rows
    assert row.user == pseudonym("00000", unquote(user))


def test_keeps_users_apart_by_bytes_case_and_customer():
    ids = {
        pseudonym("1", "Ünicode"),
        pseudonym("1", "U\u0308nicode"),
        pseudonym("1", "ünicode"),
        pseudonym("2", "Ünicode"),
    }
    assert len(ids) == 4
    assert all(len(one) == 32 for one in ids)


def test_stores_a_bundle_as_a_set(accept):
    rows = accept("/api/00000/rendered/Js79009234YU7/1/128,129,128,155?eventid=e1").rows
    assert [(r.item_id, r.seq) for r in rows] == [
        ("128", 2),
        ("129", 1),
        ("155", 3),
    ]  # the last place of each
    assert [r.item_id for r in accept("/api/strings/rendered/u/1/a%2Cb,c").rows] == ["a,b", "c"]


def test_links_source_and_target_of_a_login(accept):
    accepted = accept("/api/00000/transfer/Js79009234YU7/johndoe")
    [edge] = accepted.edges
    assert (edge.source, edge.target) == (pseudonym("00000", "Js79009234YU7"), pseudonym("00000", "johndoe"))
    assert (accepted.rows[0].event, accepted.rows[0].user) == ("login", edge.target)
    assert accept("/api/00000/login/not_defined/johndoe").edges == []


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("/api/00000/click//1/2", {}),
        ("/api/00000/login//johndoe", {}),
        ("/api/00000/login/anonymous/", {}),
        ("/api/00000/rendered/u/1/", {}),
        ("/api/00000/click/u/1/2", {"method": "HEAD"}),
        ("/api/00000/click/u/1/2", {"sec_purpose": "prefetch;prerender"}),
        ("/api/00000/click/u/1/2", {"method": "OPTIONS"}),
    ],
)
def test_answers_but_stores_nothing(accept, target, options):
    accepted = accept(target, **options)
    assert accepted.rows == []
    assert accepted.answer.status == 204


def test_answers_a_pixel_to_an_image_tag(accept):
    answer = accept("/api/00000/click/u/1/2", accept="image/avif,image/webp,*/*;q=0.8").answer
    assert (answer.status, answer.content_type, len(answer.body)) == (200, "image/gif", 42)
    assert accept("/api/00000/click/u/1/2", accept="*/*").answer.status == 204


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"fullprice=2.50EUR&quantity=4", "application/x-www-form-urlencoded"),
        (b'{"fullprice": "2.50EUR", "quantity": 4}', "application/json; charset=UTF-8"),
    ],
)
def test_reads_parameters_of_a_post_body(accept, body, kind):
    [row] = accept("/api/00000/buy/u/1/2?lang=fr", method="POST", body=body, content_type=kind).rows
    assert (row.price, row.quantity, row.lang) == ("2.50", 4, "fr")


BAD = [
    ("/api/99999/click/u/1/2", 404, "customer 99999 not found"),
    ("/api/00000/clik/u/1/2", 404, 'event "clik" not found; did you mean click?'),
    ("/nowhere", 404, "/api/{customerid}/"),
    ("/api/00000/click/u/0/2", 400, "itemtypeid must be 1 to 2147483647"),
    ("/api/00000/click/u/2147483648/2", 400, "itemtypeid must be 1 to 2147483647"),
    ("/api/00000/click/u/1/2147483648", 400, "itemid must be 1 to 2147483647"),
    ("/api/00000/click/u/1/%D9%A1%D9%A2%D9%A3", 400, "itemid must be 1 to 2147483647"),
    ("/api/00000/click/u/1/%EF%BC%91", 400, "itemid must be 1 to 2147483647"),
    ("/api/00000/click/u/1/1_000", 400, "itemid"),
    ("/api/00000/click/u/1/%205%0A", 400, "itemid"),
    ("/api/00000/click/u/1/abc", 400, "string ids are not enabled for this customer"),
    ("/api/00000/click/u/1", 400, "click must be followed by /{userid}/{itemtypeid}/{itemid}"),
    ("/api/00000/click/u/1/", 400, "click must be followed by"),
    ("/api/00000/click/u/1/2/3", 400, "click must be followed by"),
    ("/api/00000/click/a%00/1/2", 400, "NUL"),
    ("/api/00000/click/%FF/1/2", 400, "userid is not valid UTF-8"),
    ("/api/00000/click/a%5Cb/1/2", 400, "backslash"),
    ("/api/00000/click/u/1/2?x=\\", 400, "backslash"),
    ("/api/00000/click/100%/1/2", 400, "%25"),
    ("/api/00000/click/" + "u" * 1025 + "/1/2", 400, "max 1,024"),
    ("/api/00000/click/u/1/2?" + "x" * 8000, 414, "8000"),
    ("/api/00000/buy/u/1/2?quantity=1&quantity=2", 400, "quantity given twice"),
    ("/api/00000/buy/u/1/2?orderid=", 400, "orderid must be 1 to 255 printable characters"),
    ("/api/00000/buy/u/1/2?orderid=a%0Ab", 400, "orderid must be 1 to 255 printable characters"),
    (f"/api/00000/buy/u/1/2?orderid={'9' * 256}", 400, "orderid must be 1 to 255 printable characters"),
    ("/api/00000/buy/u/1/2?orderid=1&orderid=2", 400, "orderid given twice"),
    ("/api/00000/buy/u/1/2?quantity=0", 400, "quantity must be 1 to 1000000"),
    *[
        (f"/api/00000/consume/u/1/2?percentage={p}", 400, "0 to 100")
        for p in ("101", "-1", "50%25", "", "NaN")
    ],
    ("/api/00000/buy/u/1/2?fullprice=2,50EUR", 400, "use a point: 2.50EUR"),
    ("/api/00000/buy/u/1/2?fullprice=2.50%20EUR", 400, "no space"),
    *[
        (f"/api/00000/buy/u/1/2?fullprice={p}", 400, "fullprice must be")
        for p in ("NaNEUR", "InfinityEUR", "1e9EUR", "-1EUR", "1.EUR", "EUR", "2.5", "", "2.50XQZ", "2.50AAA")
    ],
    ("/api/00000/wishlist/u/1/2?price=2.50XQZ", 400, "ISO 4217"),
    ("/api/00000/buy/u/1/2?price=250&currency=XQZ", 400, "currency must be an ISO 4217 code"),
    ("/api/00000/login/same/same", 400, "same user"),
    ("/api/00000/rendered/u/1/" + ",".join(map(str, range(1, 502))), 400, "max 500"),
    ("/api/00000/rendered/u/1/1,x", 400, "string ids are not enabled"),
    ("/api/00000/rate/u/1/2", 400, "rating must be given"),
    ("/api/00000/clickrecommended/u/1/2", 400, "scenario must be given"),
    ("/api/00000/clicktriggered/u/1/2", 400, "triggername must be given"),
    ("/api/00000/click/u/1/2?eventid=" + "x" * 65, 400, "eventid must be 1 to 64"),
    ("/api/00000/click/u/1/2?lang=<b>x</b>", 400, "&lt;b&gt;"),
    ("/api/00000/click/u/1/2?overridetimestamp=2012-01-01T11:00:00", 400, "signature"),
]


@pytest.mark.parametrize(("target", "status", "sentence"), BAD)
def test_says_what_is_wrong(accept, target, status, sentence):
    with pytest.raises(BadEvent) as caught:
        accept(target)
    assert caught.value.status == status
    assert sentence in caught.value.message
    assert "<b>" not in caught.value.message


@pytest.mark.parametrize("header", ["dnt", "sec-gpc"])
def test_follows_nobody_who_asks_not_to_be_followed(accept, header):
    click = accept("/api/00000/click/u/1/2?categorypath=A&eventid=e", **{header: "1"})
    assert [(row.user, row.item_id, row.category_path) for row in click.rows] == [("", "2", "A")]
    login = accept("/api/00000/login/x/y", **{header: "1"})
    assert ([row.user for row in login.rows], list(login.edges)) == ([""], [])
    batch = accept(
        "/api/00000/events",
        method="POST",
        body=b'[{"event": "click", "user": "u", "itemtype": 1, "item": 2}]',
        **{header: "1", "content-type": "application/json"},
    )
    assert [row.user for row in batch.rows] == [""]
    assert accept("/api/00000/click/u/1/2", **{header: "0"}).rows[0].user == pseudonym("00000", "u")


def test_tells_users_apart_by_their_bytes(accept):
    """One name in two normal forms of Unicode is two users (reliability-security-ecosystem, B6)."""
    composed, decomposed = (
        accept(f"/api/00000/click/{name}/1/2").rows[0].user for name in ("%C3%A9", "e%CC%81")
    )
    assert composed == pseudonym("00000", "\u00e9") != decomposed == pseudonym("00000", "e\u0301")


def test_follows_where_a_customer_does_not_honour_the_wish():
    account = replace(KNOWN["00000"], opt_out_headers=("sec-gpc",))
    rows = [
        intake.accept(b"/api/00000/click/u/1/2", method="GET", headers=h, find={"00000": account}.get).rows
        for h in ({"dnt": "1"}, {"sec-gpc": "1"})
    ]
    assert [row.user for [row] in rows] == [pseudonym("00000", "u"), ""]


@pytest.mark.parametrize("method", ["TRACE", "JUNK", "PUT", "DELETE"])
def test_names_the_allowed_methods(accept, method):
    with pytest.raises(BadEvent) as caught:
        accept("/api/00000/click/u/1/2", method=method)
    assert (caught.value.status, caught.value.allow) == (405, "GET, HEAD, POST, OPTIONS")


def test_takes_at_most_a_hundred_parameters_of_an_address(accept):
    assert accept("/api/00000/click/u/1/2?" + "&".join(f"a{n}=" for n in range(100))).rows
    with pytest.raises(BadEvent, match="at most 100 parameters; got 101"):
        accept("/api/00000/click/u/1/2?" + "&".join(f"a{n}=" for n in range(101)))


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[" * 30_000, "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (b'{"quantity":1e999}', "application/json", 400),
        (b'{"a":"\\ud800"}', "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"quantity": true}', "application/json", 400),
        ("{}".encode("utf-16"), "application/json; charset=utf-16", 415),
        (b"{}", "application/json; charset=evil", 415),
        (b"quantity=1", "text/plain", 415),
        (b"x" * 32_769, "application/x-www-form-urlencoded", 413),
        (b"a&" * 100, "application/x-www-form-urlencoded", 400),
        (orjson.dumps(dict.fromkeys(map(str, range(101)), 1)), "application/json", 400),
        (b"lang=%FF", "application/x-www-form-urlencoded", 400),
        (b"quantity=2", "application/x-www-form-urlencoded", 400),
        (b'{"lang":"de","lang":"de"}', "application/json", 400),
        (b'{"lang" :"de", "l\\u0061ng": "fr"}', "application/json", 400),
    ],
)
def test_refuses_bad_bodies(accept, body, kind, status):
    with pytest.raises(BadEvent) as caught:
        accept("/api/00000/buy/u/1/2?quantity=1", method="POST", body=body, content_type=kind)
    assert caught.value.status == status

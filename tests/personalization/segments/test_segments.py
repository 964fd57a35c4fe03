"""Segments of a site: what changes them, who reads them, and what pages make of them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from personalization.segments import changes, queries
from personalization.segments.changes import Locked, SegmentFault
from personalization.segments.middleware import VisitorSegments
from personalization.segments.models import Membership, Segment, SegmentGroup

pytestmark = pytest.mark.django_db
BASE = "/api/ibexa/v2"


def asked_by(user: Any) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_it_knows_who_is_in_a_segment(cats: Segment, mabel: User) -> None:
    assert changes.assign(cats, [mabel.pk]) == 1
    assert changes.assign(cats, [mabel.pk]) == 0
    assert queries.of_user(mabel.pk) == ((cats.pk,), frozenset({"cat_owners"}))
    assert changes.unassign(cats, [mabel.pk]) == 1
    assert changes.unassign(cats, [mabel.pk]) == 0
    assert queries.of_user(mabel.pk) == ((), frozenset())


def test_many_members_come_and_go_at_once(cats: Segment, group: SegmentGroup) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(2500)])
    keys = list(User.objects.values_list("pk", flat=True))
    dogs = changes.create_segment(group, identifier="dog_owners", name="Dog owners")
    pairs = [(one.pk, key) for one in (cats, dogs) for key in keys]
    assert changes.add_members(pairs) == 5000
    assert changes.add_members(pairs[:10]) == 0
    assert changes.remove_members(pairs[:2600]) == 2600
    assert Membership.objects.count() == 2400
    assert changes.users_of([keys[0], keys[-1], 10**9]) == {keys[0], keys[-1]}


@pytest.mark.parametrize(
    ("identifier", "name", "code"),
    [
        ("", "x", "bad_identifier"),
        ("1a", "x", "bad_identifier"),
        ("a b", "x", "bad_identifier"),
        ("abc\n", "x", "bad_identifier"),
        ("a", "x\0", "bad_name"),
        ("a" * 65, "x", "bad_identifier"),
        ("a", " ", "bad_name"),
        ("a", "x" * 101, "bad_name"),
        ("cat_owners", "x", "identifier_taken"),
    ],
)
def test_it_refuses_what_cannot_be(
    cats: Segment, group: SegmentGroup, identifier: str, name: str, code: str
) -> None:
    with pytest.raises(SegmentFault) as caught:
        changes.create_segment(group, identifier=identifier, name=name)
    assert caught.value.code == code
    assert Segment.objects.count() == 1


@pytest.mark.usefixtures("locked")
def test_nobody_changes_what_a_platform_fills(cats: Segment, group: SegmentGroup, mabel: User) -> None:
    for change in (
        lambda: changes.change_group(group, name="Mine"),
        lambda: changes.remove_group(group),
        lambda: changes.create_segment(group, identifier="mine", name="Mine"),
        lambda: changes.change_segment(cats, name="Mine"),
        lambda: changes.remove_segment(cats),
        lambda: changes.assign(cats, [mabel.pk]),
        lambda: changes.unassign(cats, [mabel.pk]),
    ):
        with pytest.raises(Locked) as caught:
            change()
        assert caught.value.code == "segment_group_locked"
    assert changes.assign(cats, [mabel.pk], by_platform=True) == 1
    other = changes.create_group(identifier="other", name="Other")
    mine = changes.create_segment(other, identifier="mine", name="Mine")
    with pytest.raises(Locked):
        changes.change_segment(mine, group=group)


DJANGO = '{% load personalization %}{% segment "dogs" "cat_owners" %}cats{% else %}others{% endsegment %}'
DJANGO_IF = '{% if "cat_owners" in request.segments %}cats{% else %}others{% endif %}'
JINJA = '{% segment "dogs", "cat_owners" %}cats{% else %}others{% endsegment %}'
JINJA_IF = '{% if in_segment("cat_owners") %}cats{% else %}others{% endif %}'


@pytest.mark.parametrize(
    ("engine", "text"),
    [("django", DJANGO), ("django", DJANGO_IF), ("jinja2", JINJA), ("jinja2", JINJA_IF)],
)
def test_templates_ask(cats: Segment, mabel: User, engine: str, text: str) -> None:
    changes.assign(cats, [mabel.pk])
    template = engines[engine].from_string(text)

    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(template.render({"request": request}, request))

    for user, expected in ((mabel, b"cats"), (AnonymousUser(), b"others")):
        answer = VisitorSegments(page)(asked_by(user))
        assert answer.content == expected
        assert answer["Cache-Control"] == "private"
        assert answer["Vary"] == "Cookie"


def test_a_tag_without_else_shows_nothing_to_others(cats: Segment) -> None:
    for engine, text in (
        ("django", '{% load personalization %}a{% segment "cat_owners" %}b{% endsegment %}c'),
        ("jinja2", 'a{% segment "cat_owners" %}b{% endsegment %}c'),
    ):
        request = asked_by(AnonymousUser())
        assert engines[engine].from_string(text).render({"request": request}, request) == "ac"


def test_a_page_asks_once_and_only_if_something_asks(
    cats: Segment, mabel: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    template = engines["django"].from_string(DJANGO + DJANGO_IF)
    with django_assert_num_queries(1):
        VisitorSegments(lambda request: HttpResponse(template.render({"request": request}, request)))(
            asked_by(mabel)
        )
    with django_assert_num_queries(0):
        answer = VisitorSegments(lambda request: HttpResponse("plain"))(asked_by(mabel))
    assert "Vary" not in answer
    assert "Cache-Control" not in answer


# --- REST -------------------------------------------------------------------------------------


@pytest.fixture
def admin() -> dict[str, str]:
    User.objects.create_superuser("admin", password="s3cret")
    return {"authorization": "Basic " + base64.b64encode(b"admin:s3cret").decode()}


def call(client: Client, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    data = b"" if body is None else orjson.dumps(body)
    return client.generic(method, BASE + path, data, content_type="application/json", headers=headers)


@pytest.mark.case("V23")
def test_rest_makes_reads_changes_and_removes(client: Client, admin: dict[str, str], mabel: User) -> None:
    made = call(
        client, "POST", "/segment_groups", admin, {"SegmentGroupCreate": {"identifier": "g", "name": "G"}}
    )
    assert made.status_code == 201
    assert made["Content-Type"] == "application/vnd.ibexa.api.SegmentGroup+json"
    assert list(made.json()["SegmentGroup"]) == ["_media-type", "_href", "id", "identifier", "name"]
    document = {"SegmentCreate": {"identifier": "s", "name": "S", "group": "g"}}
    assert call(client, "POST", "/segments", admin, document).status_code == 201
    [listed] = call(client, "GET", "/segment_groups", admin).json()["SegmentGroupList"]["SegmentGroup"]
    assert listed["identifier"] == "g"
    changed = call(client, "PATCH", "/segment_groups/g", admin, {"SegmentGroupUpdate": {"name": "Gs"}})
    assert changed.json()["SegmentGroup"]["name"] == "Gs"
    changed = call(client, "PATCH", "/segments/s", admin, {"SegmentUpdate": {"identifier": "t"}})
    assert changed.json()["Segment"]["identifier"] == "t"
    [one] = call(client, "GET", "/segment_groups/g/segments", admin).json()["SegmentList"]["Segment"]
    assert one["SegmentGroup"]["_href"] == f"{BASE}/segment_groups/g"

    own = f"/user/users/{mabel.pk}/segments"
    assert call(client, "GET", own, admin).json()["UserSegmentList"]["UserSegment"] == []
    assign = {"UserSegmentAssignInput": {"segments": ["t"]}}
    assert call(client, "POST", own, admin, assign).status_code == 204
    [mine] = call(client, "GET", own, admin).json()["UserSegmentList"]["UserSegment"]
    assert mine["identifier"] == "t"
    assert mine["User"]["_href"] == f"{BASE}/user/users/{mabel.pk}"
    assert call(client, "DELETE", f"{own}/t", admin).status_code == 204
    assert call(client, "DELETE", f"{own}/t", admin).status_code == 404
    assert call(client, "DELETE", "/segments/t", admin).status_code == 204
    assert call(client, "DELETE", "/segment_groups/g", admin).status_code == 204
    assert call(client, "GET", "/segment_groups/g", admin).status_code == 404


def test_rest_answers_in_xml(client: Client, admin: dict[str, str], cats: Segment) -> None:
    answer = client.get(
        f"{BASE}/segments/cat_owners",
        headers=admin | {"accept": "application/vnd.ibexa.api.Segment+xml"},
    )
    assert answer["Content-Type"] == "application/vnd.ibexa.api.Segment+xml"
    assert b'<Segment media-type="application/vnd.ibexa.api.Segment+xml" href=' in answer.content
    assert b"<identifier>cat_owners</identifier>" in answer.content


MAKE = "SegmentGroupCreate"
BAD: list[tuple[str, str, bytes, int, str]] = [
    ("POST", "/segment_groups", b"{", 400, "not valid JSON"),
    ("POST", "/segment_groups", b"[]", 400, 'The body must be {"SegmentGroupCreate": {...}}'),
    ("POST", "/segment_groups", orjson.dumps({MAKE: {"name": "x"}}), 400, "identifier is missing"),
    ("POST", "/segment_groups", orjson.dumps({MAKE: {"identifier": 7, "name": "x"}}), 400, "must be a text"),
    ("POST", "/segment_groups", orjson.dumps({MAKE: {"identifier": "audiences", "name": "x"}}), 400, "taken"),
    ("POST", "/segment_groups", orjson.dumps({MAKE: {"identifier": "a", "name": "\0"}}), 400, "a NUL"),
    ("POST", "/segment_groups", b"x" * 65537, 413, "At most 65536 bytes"),
    (
        "POST",
        "/segments",
        b'{"SegmentCreate": {"identifier": "a", "name": "x", "group": "no"}}',
        400,
        "no segment group",
    ),
    ("PATCH", "/segments/cat_owners", b'{"SegmentUpdate": {"identifier": "9"}}', 400, "begins with a letter"),
    ("GET", "/segments/nothing", b"", 404, "There is no segment 'nothing'"),
    ("GET", "/segment_groups/nothing", b"", 404, "There is no segment group 'nothing'"),
    ("GET", "/user/users/999999999999999999/segments", b"", 404, "There is no user"),
    ("PUT", "/segments/cat_owners", b"", 405, "Use DELETE or GET or PATCH"),
]


@pytest.mark.case("V23")
@pytest.mark.usefixtures("cats")
@pytest.mark.parametrize(("method", "path", "body", "status", "says"), BAD)
def test_rest_says_what_is_wrong(
    client: Client, admin: dict[str, str], method: str, path: str, body: bytes, status: int, says: str
) -> None:
    answer = client.generic(method, BASE + path, body, content_type="application/json", headers=admin)
    assert answer.status_code == status
    error = answer.json()["ErrorMessage"]
    assert error["errorCode"] == status
    assert says in error["errorDescription"]


def test_rest_assigns_all_or_none(client: Client, admin: dict[str, str], cats: Segment, mabel: User) -> None:
    own = f"/user/users/{mabel.pk}/segments"
    for segments, status in ((["cat_owners", "no"], 404), ("cat_owners", 400), (["cat_owners"] * 501, 400)):
        body = {"UserSegmentAssignInput": {"segments": segments}}
        assert call(client, "POST", own, admin, body).status_code == status
    assert not Membership.objects.exists()


@pytest.mark.case("V17")
@pytest.mark.usefixtures("locked")
def test_rest_leaves_a_locked_group_alone(
    client: Client, admin: dict[str, str], cats: Segment, mabel: User
) -> None:
    body = {"UserSegmentAssignInput": {"segments": ["cat_owners"]}}
    for answer in (
        call(client, "POST", f"/user/users/{mabel.pk}/segments", admin, body),
        call(client, "PATCH", "/segment_groups/audiences", admin, {"SegmentGroupUpdate": {"name": "x"}}),
        call(client, "DELETE", "/segments/cat_owners", admin),
    ):
        assert answer.status_code == 403
        assert answer.json()["ErrorMessage"]["errorMessage"] == "segment_group_locked"
    assert call(client, "GET", "/segments/cat_owners", admin).status_code == 200


def test_rest_wants_credentials_and_permissions(client: Client, cats: Segment, mabel: User) -> None:
    path = f"{BASE}/segments/cat_owners"
    wrong = {"authorization": "Basic " + base64.b64encode(b"mabel:no").decode()}
    right = {"authorization": "Basic " + base64.b64encode(b"mabel:pw").decode()}
    nul = {"authorization": "Basic " + base64.b64encode(b"a\0:b").decode()}
    for headers in ({}, wrong, right, nul, {"authorization": "Bearer x"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401, headers
        assert "Basic" in answer["WWW-Authenticate"]
    mabel.user_permissions.add(Permission.objects.get(codename="view_segment"))
    assert client.get(path, headers=right).status_code == 200
    assert client.delete(path, headers=right).status_code == 401
    mabel.is_active = False
    mabel.save()
    assert client.get(path, headers=right).status_code == 401


def test_rest_takes_a_login_of_the_back_office_with_its_csrf_token(cats: Segment) -> None:
    User.objects.create_superuser("admin", password="s3cret")
    browser = Client(enforce_csrf_checks=True)
    browser.login(username="admin", password="s3cret")
    assert browser.get(f"{BASE}/segments/cat_owners").status_code == 200
    assert browser.delete(f"{BASE}/segments/cat_owners").status_code == 403
    assert Segment.objects.exists()


OFFERS = (
    """{% load cache %}{% cache 60 offers request.segments_key %}{{ request.user.username }}{% endcache %}"""
)


def test_what_is_cached_is_shared_by_visitors_of_equal_segments(
    cats: Segment, mabel: User, group: SegmentGroup, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cache.clear()
    others = [User.objects.create(username=name) for name in ("ada", "bob", "eve")]
    dogs = changes.create_segment(group, identifier="dog_owners", name="Dog owners")
    changes.assign(cats, [mabel.pk, others[0].pk, others[1].pk])
    changes.assign(dogs, [others[1].pk])
    seen = []

    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(engines["django"].from_string(OFFERS).render({}, request))

    for user in (mabel, *others, AnonymousUser()):
        request = asked_by(user)
        with django_assert_num_queries(1 if user.is_authenticated else 0):
            response = VisitorSegments(page)(request)
        seen.append(response.content.decode())
        assert (response["Cache-Control"], response["Vary"]) == ("private", "Cookie")
    # Ada has Mabel's segments; who has no segment is like any other without one.
    assert seen == ["mabel", "mabel", "bob", "eve", "eve"]
    assert queries.cache_key(asked_by(mabel)) == queries.cache_key(asked_by(others[0]))
    changes.unassign(dogs, [others[1].pk])
    assert queries.cache_key(asked_by(mabel)) == queries.cache_key(asked_by(others[1]))

"""Visitors without an account are in the segments that mirror their audiences, or in none."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import caches
from django.template import engines
from django.test import Client

from cdp import checks
from cdp.visitors import keeping
from config import site_access
from config.http import breaker
from personalization.segments import changes, queries
from personalization.segments.models import Segment
from personalization.segments.queries import Segments
from tests.cdp.visitors.conftest import VISITOR, MembershipApi, asked_by

pytestmark = pytest.mark.django_db


def segments(**request: Any) -> Segments:
    return queries.of_request(asked_by(AnonymousUser(), **request))


def test_it_knows_the_segments_of_a_visitor(cats: Segment, api: MembershipApi) -> None:
    assert segments() == Segments((cats.pk,), frozenset({"cats"}))
    [(path, headers)] = api.asked
    assert path == f"/api/v3/memberships/coid?identifierValue={VISITOR}"
    assert (headers["x-activation-id"], headers["x-api-key"]) == ("act_7", "the-key")


def test_templates_ask(cats: Segment) -> None:
    text = '{% load personalization %}{% segment "cats" %}meow{% else %}-{% endsegment %}'
    template = engines["django"].from_string(text)
    assert template.render({}, asked_by(AnonymousUser())) == "meow"
    assert template.render({}, asked_by(AnonymousUser(), cookie=None)) == "-"


@pytest.mark.case("V29")
def test_two_pages_within_the_time_ask_once(
    cats: Segment, api: MembershipApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segments() == segments()
    began, real = time.time(), time.time
    asked = []
    for later in (299 - 5, 301):
        monkeypatch.setattr(time, "time", lambda later=later: began + later)
        assert segments().identifiers == {"cats"}
        asked.append(len(api.asked))
    monkeypatch.setattr(time, "time", real)
    assert asked == [1, 2]


@pytest.mark.case("V31")
def test_without_the_cache_each_page_asks(cats: Segment, api: MembershipApi, sites: Path) -> None:
    sites.write_text(
        sites.read_text() + "ibexa_segmentation: {anonymous: {cache: {enabled: false, ttl: 300}}}\n"
    )
    site_access.reload()
    assert segments() == segments()
    assert len(api.asked) == 2


def test_nobody_is_remembered_too(cats: Segment, api: MembershipApi) -> None:
    for _ in range(2):
        assert segments(cookie="a-stranger-indeed") == Segments()
    assert len(api.asked) == 1


def test_one_page_asks_once(cats: Segment, api: MembershipApi, settings: Any) -> None:
    settings.CDP_SEGMENTATION_ANONYMOUS_CACHE = {"enabled": False}
    request = asked_by(AnonymousUser())
    assert queries.of_request(request) is queries.of_request(request)
    assert len(api.asked) == 1


@pytest.mark.parametrize("cookies", [{"lodestar_consent": "0"}, {"cookie": None}, {"cookie": "<script>"}])
def test_who_must_not_be_followed_is_not_asked_for(
    cats: Segment, api: MembershipApi, cookies: dict[str, Any]
) -> None:
    assert segments(**cookies) == Segments()
    assert not api.asked


def test_who_is_logged_in_is_the_user(cats: Segment, api: MembershipApi) -> None:
    mabel = User.objects.create_user("mabel")
    assert queries.of_request(asked_by(mabel)) == Segments()
    changes.assign(cats, [mabel.pk], by_platform=True)
    assert queries.of_request(asked_by(mabel)).identifiers == {"cats"}
    assert not api.asked


def test_a_login_drops_what_was_kept(cats: Segment, api: MembershipApi, browser: Client) -> None:
    segments()
    request = asked_by(AnonymousUser())
    request.session = browser.session
    login(request, User.objects.create_user("mabel"))
    segments()
    assert len(api.asked) == 2


@pytest.mark.parametrize(
    "fault",
    [
        "slow",
        "drips",
        "cut",
        "500 Oops | x",
        "401 No | x",
        "200 OK | <html>",
        "200 OK | []",
        '200 OK | {"memberships": [7]}',
        '200 OK | {"memberships": null}',
        "302 Found | x",
        f"200 OK | {'x' * 300_000}",
    ],
)
def test_a_failure_is_no_segments_and_a_line_in_the_log(
    cats: Segment, api: MembershipApi, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    api.fault = fault
    began = time.monotonic()
    with caplog.at_level(logging.DEBUG):
        assert segments() == Segments()
    assert time.monotonic() - began < 30
    [line] = [one for one in caplog.records if "MembershipApiException" in one.getMessage()]
    assert (line.name, line.levelname) == ("cdp", "WARNING")
    assert VISITOR not in caplog.text
    assert "the-key" not in caplog.text
    api.fault = ""
    assert segments().identifiers == {"cats"}  # a failure is not kept


def test_who_keeps_failing_is_left_alone(cats: Segment, api: MembershipApi) -> None:
    api.fault = "500 Oops | x"
    for _ in range(8):
        assert segments() == Segments()
    assert len(api.asked) == 5
    [state] = [one for key, one in breaker._states.items() if key.startswith("the membership API")]
    assert 50 < state.open_until - time.monotonic() <= 60


def test_nothing_names_the_visitor_in_the_cache(cats: Segment, settings: Any) -> None:
    segments()
    kept = [one for one in Path(settings.CACHES["visitors"]["LOCATION"]).rglob("*") if one.is_file()]
    assert kept
    assert not any(VISITOR in one.name or VISITOR.encode() in one.read_bytes() for one in kept)


def test_segments_of_other_groups_are_not_meant(cats: Segment, api: MembershipApi) -> None:
    other = changes.create_group(identifier="others", name="Others")
    changes.create_segment(other, identifier="theirs", name="Theirs", by_platform=True, audience="aud_9")
    assert segments().identifiers == {"cats"}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{anonymous: {cache: {ttl: 0}}}", "ibexa_segmentation.anonymous.cache.ttl: Input should be greater"),
        ("{anonymous: {cache: {enabled: 1}}}", "ibexa_segmentation.anonymous.cache.enabled"),
        ("{anonymous: {cache: {pool: x}}}", "pool: must be one of default, renditions, visitors; got 'x'."),
        ("{anonymous: {cash: {}}}", "ibexa_segmentation.anonymous.cash"),
        ("{other: 1}", "ibexa_segmentation"),
        ("[1]", "ibexa_segmentation"),
        ("{anonymous: {cache: {ttl: '%env(int:NOT_SET_ANYWHERE)%'}}}", "NOT_SET_ANYWHERE"),
    ],
)
def test_doctor_names_what_is_wrong(cats: Segment, sites: Path, written: str, says: str) -> None:
    good = sites.read_text()
    sites.write_text(good + f"ibexa_segmentation: {written}\n")
    site_access.reload()
    [fault] = [one.text for one in checks.configured() if "segmentation" in one.text]
    assert says in fault
    assert keeping.current().ttl == 300


def test_the_other_systems_pool_is_ours(cats: Segment, sites: Path) -> None:
    written = "{anonymous: {cache: {enabled: true, ttl: 60, pool: ibexa.cache_pool}}}"
    sites.write_text(sites.read_text() + f"ibexa_segmentation: {written}\n")
    site_access.reload()
    assert keeping.fault() == ""
    assert (keeping.current().ttl, keeping.current().pool) == (60, "visitors")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    caches["visitors"].clear()

"""A user's history ..."""

from __future__ import annotations

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tracking import queries
from tracking.models import Event, IdentityEdge

pytestmark = pytest.mark.django_db(databases=["default", settings.EVENTS_DB])


def event(user: str, ts: int, item: str = "1", **changes) -> Event:
    return Event(
        **{"customer_id": "1", "event": "click", "user": user, "item_type": 1, "item_id": item}
        | {"ts": ts, "received": ts}
        | changes
    )


def edge(source: str, target: str, ts: int) -> IdentityEdge:
    return IdentityEdge(customer_id="1", source=source, target=target, ts=ts)


def items(user: str, **options) -> list[str]:
    return [past.item_id for past in queries.history("1", user, **options)]


def test_lists_the_newest_events_first():
    Event.objects.bulk_create(
        [event("a", 1, "1"), event("a", 3, "3"), event("a", 2, "2", event="buy", quantity=2), event("b", 4)]
        + [event("a", 9, "9", customer_id="2")]
    )
    assert items("a") == ["3", "2", "1"]
    assert items("a", events=["buy"]) == ["2"]
    assert items("a", limit=1) == ["3"]
    assert queries.history("1", "a", events=["buy"])[0].quantity == 2


def test_is_empty_for_nobody():
    Event.objects.bulk_create([event("", 1)])
    assert items("") == []


def test_moves_to_the_account_at_login_and_stays_apart_after_logout():
    Event.objects.bulk_create([event("cookie", 1, "1"), event("john", 2, "2"), event("cookie", 9, "9")])
    IdentityEdge.objects.bulk_create([edge("cookie", "john", 5)])
    assert items("john") == ["2", "1"]
    assert items("cookie") == ["9"]


def test_goes_to_each_account_of_a_shared_device_in_turn():
    Event.objects.bulk_create([event("pc", 1, "1"), event("pc", 6, "6"), event("pc", 11, "11")])
    IdentityEdge.objects.bulk_create([edge("pc", "ann", 5), edge("pc", "bob", 10)])
    assert (items("ann"), items("bob"), items("pc")) == (["1"], ["6"], ["11"])


def test_ends_on_circles_and_long_chains():
    IdentityEdge.objects.bulk_create(
        [edge("a", "b", 5), edge("b", "a", 6)] + [edge(f"u{n}", f"u{n + 1}", n + 1) for n in range(10_000)]
    )
    Event.objects.bulk_create([event("a", 1, "1"), event("u9999", 1, "2")])
    assert items("a") == ["1"]
    assert items("b") == []
    assert items("u10000") == ["2"]


USERS = "abcd"
TIMES = st.integers(1, 30)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.tuples(st.sampled_from(USERS), TIMES), max_size=12),
    logins=st.lists(
        st.tuples(st.sampled_from(USERS), st.sampled_from(USERS)).filter(lambda e: e[0] != e[1]), max_size=7
    ),
    data=st.data(),
)
def test_equals_the_rule_in_plain_words(events, logins, data):
    moments = data.draw(st.lists(TIMES, min_size=len(logins), max_size=len(logins), unique=True))
    edges = [(s, t, m) for (s, t), m in zip(logins, moments, strict=True)]
    Event.objects.all().delete()
    IdentityEdge.objects.all().delete()
    # Half a moment later than any edge, so that no event and edge share one.
    Event.objects.bulk_create([event(u, 2 * t + 1, str(n)) for n, (u, t) in enumerate(events)])
    IdentityEdge.objects.bulk_create([edge(s, t, 2 * m) for s, t, m in edges])
    expected: dict[str, set[str]] = {user: set() for user in USERS}
    for number, (user, ts) in enumerate(events):
        holder, now = user, 2 * ts + 1
        for source, target, at in sorted(edges, key=lambda e: e[2]):
            if source == holder and 2 * at > now:
                holder, now = target, 2 * at
        expected[holder].add(str(number))
    assert {user: set(items(user)) for user in USERS} == expected
    owned = queries.ownership("1")
    for number, (user, ts) in enumerate(events):
        at = 2 * ts + 1
        matches = [o.owner for o in owned if o.source == user and o.after < at <= o.until]
        assert len(matches) <= 1
        assert str(number) in expected[matches[0] if matches else user]

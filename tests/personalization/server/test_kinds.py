"""Every kind of model: a history made by hand, whose right list is known and is not that of popularity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from personalization.server import editorial
from personalization.server.items import store
from personalization.server.learning import registry
from personalization.server.models import ModelBuild, StoredItem
from personalization.server.recommend import NothingToGoOn
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import Did, did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@dataclass(frozen=True, kw_only=True)
class Case:
    """``right``: the answer to ``asked``. ``of``: the event that popularity counts."""

    kind: str
    right: list[int]
    past: list[Did]
    signal: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    items: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    edited: list[tuple[int, str, int]] = field(default_factory=list)
    filters: dict[str, Any] = field(default_factory=dict)
    beside: str = ""  # a second model on the level, where the kind itself recommends nothing
    of: str = ""


def everybody(event: str, item: int, *, count: int = 9, days: float = 1.0, **more: Any) -> list[Did]:
    """A bestseller: many who did nothing else."""
    return [one for n in range(count) for one in did(event, f"crowd{n}", item, days=days, **more)]


def pairs(event: str) -> list[Did]:
    """1 goes with 2, 3 with 4; 9 goes with everything."""
    past = everybody(event, 9)
    for n in range(3):
        past += did(event, f"a{n}", 1, 2, days=3 + n) + did(event, f"b{n}", 3, 4, days=3 + n)
    return past + did(event, "a0", 9, days=3) + did(event, "b0", 9, days=3)


# Three who like both 1 and 2 and hate 5; everybody rates 9 middling.
RATINGS = [
    *(
        one
        for n in range(3)
        for item, points in ((1, 95), (2, 90), (5, 5))
        for one in did("rate", f"fan{n}", item, rating=points)
    ),
    *(
        one
        for n in range(3)
        for item, points in ((5, 95), (6, 90), (1, 10))
        for one in did("rate", f"foe{n}", item, rating=points)
    ),
    *everybody("rate", 9, rating=55),
    *did("rate", "fan0", 9, rating=50),
]

FROM_1: dict[str, Any] = {"context_ids": ("1",)}
FROM_3: dict[str, Any] = {"context_ids": ("3",), "count": 1}


def users(name: str, count: int, *each: tuple[str, tuple[int, ...], float]) -> list[Did]:
    """``count`` users who all did the same: events, items and how many days ago."""
    return [
        one
        for n in range(count)
        for event, items, days in each
        for one in did(event, f"{name}{n}", *items, days=days)
    ]


CASES = [
    # 1 was clicked most, but long ago.
    Case(
        kind="popularity",
        signal="click",
        of="",
        right=[2, 1],
        past=everybody("click", 1, count=4, days=25) + everybody("click", 2, count=3, days=1),
    ),
    # 1 falls, 2 rises, and 3 is new, at an age at which the others grew.
    Case(
        kind="predictive_popularity",
        signal="click",
        right=[2, 3, 1],
        past=[
            one
            for item, counts in ((1, (9, 8, 6, 4, 3, 2)), (2, (1, 2, 3, 4, 5, 6)), (3, (0, 0, 0, 0, 0, 4)))
            for period, count in enumerate(counts)
            for one in everybody("click", item, count=count, days=27.5 - 5 * period)
        ],
    ),
    Case(kind="co_occurrence", signal="click", right=[2, 9], past=pairs("click"), asked=FROM_1),
    Case(
        kind="co_purchase",
        signal="buy",
        right=[4],
        past=pairs("buy"),
        asked=FROM_3,
    ),
    # Who looked at 1 bought 2 in the end; 3 was bought together with 1, so it is no alternative.
    Case(
        kind="ultimately_bought",
        signal="buy",
        right=[2, 1],
        past=[
            *everybody("buy", 9),
            *(
                one
                for n in range(4)
                for one in did("click", f"u{n}", 1, 2, days=5) + did("buy", f"u{n}", 2, days=4)
            ),
            *(
                one
                for n in range(2)
                for one in did("click", f"v{n}", 1, days=5) + did("buy", f"v{n}", 1, 3, days=4)
            ),
        ],
        asked=FROM_1,
        filters={"exclude_context_items": False},
    ),
    # After a click on 1 people read 2; 3 was read before.
    Case(
        kind="followed",
        signal="consume",
        right=[2],
        past=[
            *everybody("consume", 9),
            *(one for n in range(3) for one in did("consume", f"u{n}", 3, days=6)),
            *(
                one
                for n in range(3)
                for one in did("click", f"u{n}", 1, days=5) + did("consume", f"u{n}", 2, days=4)
            ),
        ],
        asked=FROM_1,
    ),
    # 1, 2 and 3 stand in five orders; 1 and 9 only in four.
    Case(
        kind="bundle",
        signal="buy",
        right=[1, 2, 3],
        past=[
            *everybody("buy", 9),
            *(one for n in range(5) for one in did("buy", f"u{n}", 1, 2, 3, days=3)),
            *(one for n in range(4) for one in did("buy", f"v{n}", 1, 9, days=3)),
        ],
        asked=FROM_1,
    ),
    # 9 has the most ratings, 1 the best of several; 3 has a single one.
    Case(
        kind="best_rated",
        signal="rate",
        right=[1, 3, 9],
        past=[
            *everybody("rate", 9, rating=50),
            *(one for n in range(6) for one in did("rate", f"u{n}", 1, rating=90)),
            *did("rate", "w", 3, rating=100),
        ],
    ),
    Case(kind="similar_rated", signal="rate", right=[2], past=RATINGS, asked=FROM_1),
    # The young like 1 and 2, the old 3; 9 is liked by all.
    Case(
        kind="stereotype",
        signal="click",
        right=[2, 1],
        past=[
            *everybody("click", 9),
            *(one for n in range(4) for one in did("click", f"young{n}", 2, *([1] if n else []), days=3)),
            *(one for n in range(4) for one in did("click", f"old{n}", 3, days=3)),
        ],
        people={
            **{f"young{n}": {"age": "young"} for n in range(4)},
            **{f"old{n}": {"age": "old"} for n in range(4)},
            "me": {"age": "young"},
        },
        asked={"user": "me"},
    ),
    # 2 has the author and category of 1, 3 the author; 9 nothing of it.
    Case(
        kind="content_based",
        right=[2, 3],
        past=everybody("click", 9),
        of="click",
        items={
            1: {"author": "Eco", "categoryPath": ["/1/7/"], "name": "rose"},
            2: {"author": "Eco", "categoryPath": ["/1/7/"], "name": "pendulum"},
            3: {"author": "Eco", "categoryPath": ["/2/8/"], "name": "island"},
            9: {"author": "Doyle", "categoryPath": ["/3/4/"], "name": "hound"},
        },
        asked=FROM_1,
    ),
    Case(
        kind="full_text",
        right=[2],
        past=everybody("click", 9),
        of="click",
        parameters={"texts": ["body"]},
        items={
            1: {"body": "<p>The monks of the abbey keep a secret library</p>"},
            2: {"body": "A library is burnt and the monks flee"},
            9: {"body": "Football results from yesterday evening"},
        },
        asked=FROM_1,
    ),
    Case(
        kind="recently_added",
        right=[3, 2, 1],
        past=everybody("click", 1),
        of="click",
        items={n: {"publishedDate": f"2020-01-0{n}T00:00:00+00:00"} for n in (1, 2, 3)},
    ),
    Case(
        kind="editorial_list",
        right=[2, 7],
        past=everybody("click", 9),
        of="click",
        edited=[(made.KIND, "7", 1), (made.KIND, "2", 5)],
    ),
    Case(
        kind="blacklist",
        right=[1],
        past=everybody("click", 9) + did("click", "u", 1),
        of="click",
        edited=[(made.KIND, "9", 1)],
        beside="popularity",
    ),
    Case(
        kind="history",
        right=[3, 1],
        past=everybody("click", 9) + did("click", "me", 1, 3, days=2),
        of="click",
        asked={"user": "me"},
    ),
    # 1 every 10 days, last 9 days ago; 2 every 10 days, last 3 days ago; 3 every 2 days; 4 once.
    Case(
        kind="recurring_purchase",
        signal="buy",
        right=[1],
        past=[
            *everybody("buy", 9),
            *(one for days in (29, 19, 9) for one in did("buy", "me", 1, days=days)),
            *(one for days in (23, 13, 3) for one in did("buy", "me", 2, days=days)),
            *(one for days in (7, 5, 3) for one in did("buy", "me", 3, days=days)),
            *did("buy", "me", 4, days=9),
        ],
        asked={"user": "me"},
        filters={"exclude_context_items": False},
    ),
    # The newest of segment 7 within ten days; 9 was clicked by everybody else.
    Case(
        kind="segment_newest",
        signal="click",
        right=[2, 1],
        past=[
            *everybody("click", 9, segments="8,17"),
            *did("click", "u", 1, days=5, segments="7"),
            *did("click", "v", 2, days=3, segments="8,7"),
            *did("click", "w", 3, days=12, segments="7"),
        ],
        asked={"segments": (7,)},
    ),
    # Segment 7 uses one of item 1 a day and bought 10 nine days ago; of item 2 it bought 30 nine days ago.
    Case(
        kind="segment_recurring",
        signal="buy",
        right=[1],
        past=[
            *everybody("buy", 9, segments="8"),
            *did("buy", "u", 1, days=19, quantity=10, segments="7"),
            *did("buy", "v", 1, days=9, quantity=10, segments="7"),
            *did("buy", "u", 2, days=19, quantity=10, segments="7"),
            *did("buy", "v", 2, days=9, quantity=30, segments="7"),
            *did("buy", "v", 3, days=9, segments="7"),
        ],
        asked={"segments": (7,)},
    ),
    # 1 and 2 each often lead to 3, but it is those who have both that have 4.
    Case(
        kind="for_you",
        signal="click",
        right=[4],
        past=[
            *everybody("click", 9),
            *(one for n in range(6) for one in did("click", f"u{n}", 1, 2, 4, days=3)),
            *(one for n in range(4) for one in did("click", f"v{n}", 1, 3, days=3)),
            *(one for n in range(4) for one in did("click", f"w{n}", 2, 3, days=3)),
            *did("click", "me", 1, 2, days=2),
        ],
        asked={"user": "me", "count": 1},
    ),
    # Whoever looks at 1 and then at 2 goes on to 3; after 2 alone most go to 4.
    Case(
        kind="visits",
        signal="click",
        right=[3],
        past=[
            *everybody("click", 9),
            *(one for n in range(4) for one in did("click", f"u{n}", 1, 2, 3, days=3)),
            *(one for n in range(4) for one in did("click", f"v{n}", 5, 2, 4, days=3)),
            *did("click", "me", 1, 2, days=0.01),
        ],
        asked={"user": "me", "count": 1},
        parameters={"repeat": 0.0},
    ),
]


def test_it_has_a_case_of_every_kind() -> None:
    assert {case.kind for case in CASES} == set(registry.kinds())


@pytest.fixture(params=CASES, ids=[case.kind for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def customer(case: Case, db: None) -> str:
    customer_id = new_account("Made", kind="commerce").customer_id
    known = (
        {int(str(one.item)) for one in case.past}
        | set(map(int, case.items))
        | {int(item) for _, item, _ in case.edited}
    )
    made.stored(customer_id, {item: case.items.get(item, {}) for item in sorted(known)})
    made.told(customer_id, case.people)
    made.happened(customer_id, case.past)
    if case.edited:
        editorial.replace(customer_id, "made", case.edited)
    return customer_id


def built(customer: str, case: Case) -> None:
    known = registry.kind(case.kind)
    build = made.model(
        customer, case.kind, signal=case.signal, parameters=case.parameters, build=known.trained
    )
    if known.trained:
        assert build is not None
        assert (build.status, build.error) == (ModelBuild.Status.ACTIVE, "")
    if case.beside:
        made.model(customer, case.beside, signal=case.of, identifier="beside")


def test_it_recommends_what_is_right_and_not_what_is_popular(customer: str, case: Case) -> None:
    built(customer, case)
    made.scenario(customer, case.beside and "beside" or "made", filters=case.filters)
    right = made.listed(customer, **case.asked)
    assert right == [str(item) for item in case.right]
    if case.beside:
        return  # what it adds to popularity was just seen
    steady = {"half_life_days": 0.0, "window_days": 365.0}
    made.model(customer, "popularity", signal=case.signal or case.of, identifier="popular", parameters=steady)
    made.scenario(customer, "popular", filters=case.filters)
    assert made.listed(customer, **case.asked)[: len(right)] != right


def test_it_says_that_it_has_nothing_to_go_on(customer: str, case: Case) -> None:
    """Without context, history, attributes and segments."""
    built(customer, case)
    made.scenario(customer, "made")
    serves = registry.kind(case.kind).serves
    free = {registry.Serves.RANKING, registry.Serves.NEWEST, registry.Serves.LIST, registry.Serves.NOTHING}
    if serves in free:
        made.listed(customer)
        return
    with pytest.raises(NothingToGoOn):
        made.listed(customer)


def test_it_learns_nothing_from_nothing_without_an_error(case: Case, db: None) -> None:
    customer_id = new_account("Empty").customer_id
    known = registry.kind(case.kind)
    build = made.model(customer_id, case.kind, signal=case.signal, build=known.trained)
    if build is not None and known.needs_events:
        assert build.status == ModelBuild.Status.FAILED
        assert build.lacked_events, build.error
    elif build is not None:
        assert (build.status, build.items) == (ModelBuild.Status.ACTIVE, 0)
    made.scenario(customer_id, "made")
    asked = {"context_ids": ("1",), "user": "me", "segments": (7,)}
    try:
        assert made.listed(customer_id, **asked) == []
    except NothingToGoOn:
        assert known.serves in {registry.Serves.DUE, registry.Serves.STEREOTYPE}


def test_it_recommends_no_items_that_are_gone(customer: str, case: Case) -> None:
    built(customer, case)
    made.scenario(customer, case.beside and "beside" or "made", filters=case.filters)
    for row in StoredItem.objects.filter(customer_id=customer):
        store.remove(
            customer, item_type=row.item_type, item_id=row.item_id, language="", moment=store.moment_now()
        )
    made.forget()
    assert made.listed(customer, **case.asked) == []

"""Windows are spans of time that are reckoned from one moment (reference `cdp.md` 3.3, rule 3)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cdp.audiences.conditions.document import Window
from cdp.audiences.conditions.moments import FIRST, micros, span, stepped
from tests.cdp.audiences.population import at

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("moment", "n", "unit", "expected"),
    [
        ("2025-05-01T12:00:00Z", -30, "day", "2025-04-01T12:00:00Z"),
        ("2025-03-31T10:00:00Z", -1, "month", "2025-02-28T11:00:00Z"),  # 12:00 in summer, 12:00 in winter
        ("2024-03-31T10:00:00Z", -1, "month", "2024-02-29T11:00:00Z"),
        ("2024-02-29T11:00:00Z", -1, "year", "2023-02-28T11:00:00Z"),
        ("2025-03-30T10:00:00Z", -1, "day", "2025-03-29T10:00:00Z"),  # a day is 24 hours
        ("2025-12-31T11:00:00Z", 2, "month", "2026-02-28T11:00:00Z"),
    ],
)
def test_it_steps_by_the_calendar_in_months_and_years_only(
    moment: str, n: int, unit: str, expected: str
) -> None:
    assert stepped(at(moment), n, unit, COPENHAGEN) == micros(at(expected))


def test_it_takes_the_whole_day_of_a_plain_end() -> None:
    window = Window(kind="between", start="2025-03-30", end="2025-03-30")
    found = span(window, as_of=at("2026-01-01T00:00:00Z"), zone=COPENHAGEN)
    assert found == (micros(at("2025-03-29T23:00:00Z")), micros(at("2025-03-30T22:00:00Z")))


def test_it_sees_nothing_after_the_moment() -> None:
    now = at("2025-05-01T12:00:00Z")
    for window in (
        Window(),
        Window(kind="after", start="2025-01-01"),
        Window(kind="before", end="2030-01-01"),
    ):
        assert span(window, as_of=now, zone=COPENHAGEN).end == micros(now) + 1


def test_it_reaches_to_the_edge_of_time() -> None:
    now = at("2025-05-01T12:00:00Z")
    assert stepped(now, -100_000, "year", COPENHAGEN) == FIRST
    assert (
        stepped(now, 100_000, "week", COPENHAGEN) == -FIRST or stepped(now, 100_000, "week", COPENHAGEN) > 0
    )

"""Crontab expressions."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.cron import BadCron, parse


def due(expression: str, moment: str) -> bool:
    return parse(expression).matches(datetime.fromisoformat(moment))


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("*/15 * * * *", "2026-03-02 10:15:20", True),
        ("*/15 * * * *", "2026-03-02 10:16:00", False),
        ("0 */6 * * *", "2026-03-02 18:00", True),
        ("0 */6 * * *", "2026-03-02 19:00", False),
        ("5/20 * * * *", "2026-03-02 10:45", True),
        ("5/20 * * * *", "2026-03-02 10:00", False),
        ("0-30/10,45 8-9 * * *", "2026-03-02 09:45", True),
        ("0-30/10,45 8-9 * * *", "2026-03-02 09:40", False),
        ("0 6 * jan-MAR Mon-fri", "2026-03-02 06:00", True),  # a Monday
        ("0 6 * jan-mar mon-fri", "2026-03-01 06:00", False),
        ("0 6 * * 7", "2026-03-01 06:00", True),
        ("0 6 * * 0", "2026-03-01 06:00", True),
        ("0 6 * * 5-7", "2026-03-01 06:00", True),
        ("0 6 13 * fri", "2026-03-13 06:00", True),
        ("0 6 13 * fri", "2026-03-20 06:00", True),  # one of both days is enough
        ("0 6 13 * fri", "2026-03-21 06:00", False),
        ("0 6 */2 * fri", "2026-03-06 06:00", False),  # a star is no day: both must match
        ("0 0 29 2 *", "2028-02-29 00:00", True),
    ],
)
def test_it_knows_when_something_is_due(expression: str, moment: str, *, expected: bool) -> None:
    assert due(expression, moment) is expected


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("", "must have five fields"),
        ("* * * *", "must have five fields"),
        ("@daily", "must have five fields"),
        ("* * * * * *", "must have five fields"),
        ("60 * * * *", "'60' as minute, which must be 0 to 59"),
        ("* 24 * * *", "'24' as hour"),
        ("* * 0 * *", "'0' as day of the month"),
        ("* * * 13 *", "which must be 1 to 12 or jan to dec"),
        ("* * * * 8", "which must be 0 to 7 or sun to sat"),
        ("* * * * noday", "'noday' as day of the week"),
        ("*/0 * * * *", "'*/0' as minute; write it like"),
        ("*/ * * * *", "'*/' as minute"),
        ("1- * * * *", "'1-' as minute"),
        ("5-1 * * * *", "ends before it begins"),
        ("1,,2 * * * *", "'' as minute"),
        ("٣ * * * *", "'٣' as minute"),
        ("0 0 31 feb,apr *", "comes in none of its months"),
        ("* " * 5 + "x" * 300, "must have five fields"),
    ],
)
def test_it_says_what_is_wrong(expression: str, rule: str) -> None:
    with pytest.raises(BadCron) as caught:
        parse(expression)
    assert rule in str(caught.value)


@given(st.text(max_size=30))
def test_it_reads_anything_or_refuses_it(text: str) -> None:
    try:
        found = parse(text)
    except BadCron:
        return
    assert found.minutes <= set(range(60))
    assert found.weekdays <= set(range(7))


@given(st.integers(0, 59), st.integers(1, 59))
def test_its_steps_are_those_of_a_range(first: int, step: int) -> None:
    assert parse(f"{first}/{step} * * * *").minutes == set(range(first, 60, step))

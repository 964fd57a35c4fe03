"""The figures of an A/B test in words: a line for each indicator, and charts over its days."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from personalization.screens.charts import HUNDRED, Chart, Number, Series, moments_of, said, shares, spread
from personalization.server.statistics.outcomes import Outcome, Side
from personalization.server.statistics.report import rounded

SUREST = 99.9  # percent; nobody is surer than that
SIGNIFICANT_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One line of the table; ``note`` says what the rate is of, ``rates`` of A and of B."""

    label: str
    note: str
    term: str = ""
    counts: tuple[str, str]
    rates: tuple[str, str]
    difference: str
    says: str = ""


def says(found: Outcome, *, is_over: bool) -> str:
    """What the followed recommendations let conclude."""
    verdict = found.verdict
    if verdict is None:
        return gettext("Too early to say: one of the scenarios was not asked for yet.")
    if verdict.is_significant:
        sure = said(min(math.floor(1000 * (1 - verdict.p)) / 10, SUREST), "percent")
        if verdict.difference > 0:
            return gettext("B is better, we are %(sure)s sure.") % {"sure": sure}
        return gettext("A is better, we are %(sure)s sure.") % {"sure": sure}
    if is_over:
        return gettext("The test showed no difference: what there is may be chance.")
    if verdict.more is None:
        return gettext("Too early to say: too few recommendations were followed so far.")
    about = roughly(verdict.more)
    return ngettext(
        "Too early to say: about %(count)s more call needed if the difference stays as it is.",
        "Too early to say: about %(count)s more calls needed if the difference stays as it is.",
        verdict.more,
    ) % {"count": said(about)}


def roughly(count: int) -> int:
    """Two digits are as much as such a number knows."""
    unit: int = 10 ** max(0, len(str(count)) - SIGNIFICANT_DIGITS)
    return math.ceil(count / unit) * unit


def indicators(found: Outcome, *, share_b: int) -> list[Indicator]:
    a, b = found.a, found.b
    people = a.group.users + b.group.users
    return [
        Indicator(
            label=gettext("Recommendation calls"),
            note=gettext("share of both"),
            counts=both(a.line.calls, b.line.calls),
            rates=percents(a.line.calls, b.line.calls, of=(a.line.calls + b.line.calls,) * 2),
            difference="–",
        ),
        followed(found),
        Indicator(
            label=gettext("Purchased recommendations"),
            note=gettext("per 100 calls"),
            counts=both(a.bought, b.bought),
            rates=per_hundred(a.bought, b.bought, found),
            difference=relative(a.bought, b.bought, of=calls(found)),
        ),
        revenue(found),
        Indicator(
            label=gettext("Consume events"),
            note=gettext("per active user"),
            counts=both(a.group.consumed, b.group.consumed),
            rates=each(a.group.consumed, b.group.consumed, of=(a.group.users, b.group.users)),
            difference=relative(a.group.consumed, b.group.consumed, of=(a.group.users, b.group.users)),
        ),
        Indicator(
            label=gettext("Active users"),
            note=gettext("share of both; the test gives B %(share)s %%") % {"share": share_b},
            counts=both(a.group.users, b.group.users),
            rates=percents(a.group.users, b.group.users, of=(people, people)),
            difference="–",
        ),
    ]


def followed(found: Outcome) -> Indicator:
    verdict = found.verdict
    apart, interval = "–", ""
    if verdict is not None:
        apart = points(verdict.difference)
        interval = gettext("95 %% interval: %(low)s to %(high)s") % {
            "low": signed_points(verdict.low),
            "high": signed_points(verdict.high),
        }
    return Indicator(
        label=gettext("Followed recommendations"),
        note=gettext("of the calls"),
        term="conversion",
        counts=both(found.a.line.followed, found.b.line.followed),
        rates=percents(found.a.line.followed, found.b.line.followed, of=calls(found)),
        difference=apart,
        says=interval,
    )


def revenue(found: Outcome) -> Indicator:
    sums = [float(rounded(side.line.revenue)) for side in (found.a, found.b)]
    a, b = (said(one, "money") for one in sums)
    rates = [
        said(HUNDRED * amount / n if n else None, "money")
        for amount, n in zip(sums, calls(found), strict=True)
    ]
    return Indicator(
        label=gettext("Revenue through recommendations (%(currency)s)") % {"currency": found.currency},
        note=gettext("per 100 calls"),
        counts=(a, b),
        rates=(rates[0], rates[1]),
        difference=relative(*sums, of=calls(found)),
    )


def calls(found: Outcome) -> tuple[int, int]:
    return found.a.line.calls, found.b.line.calls


def both(a: Number, b: Number) -> tuple[str, str]:
    return said(a), said(b)


def percents(a: int, b: int, *, of: tuple[int, int]) -> tuple[str, str]:
    return (
        said(HUNDRED * a / of[0] if of[0] else None, "percent"),
        said(HUNDRED * b / of[1] if of[1] else None, "percent"),
    )


def per_hundred(a: int, b: int, found: Outcome) -> tuple[str, str]:
    return each(HUNDRED * a, HUNDRED * b, of=calls(found))


def each(a: int, b: int, *, of: tuple[int, int]) -> tuple[str, str]:
    return (
        said(a / of[0] if of[0] else None, "money"),
        said(b / of[1] if of[1] else None, "money"),
    )


def relative(a: float, b: float, *, of: tuple[int, int]) -> str:
    """By how much the rate of B is above that of A."""
    if not all(of) or not a:
        return "–"
    change = HUNDRED * ((b / of[1]) / (a / of[0]) - 1)
    return signed(said(abs(change), "percent"), change)


def points(difference: float) -> str:
    return gettext("%(number)s points") % {"number": signed_points(difference)}


def signed_points(difference: float) -> str:
    return signed(said(abs(HUNDRED * difference), "money"), difference)


def signed(shown: str, value: float) -> str:
    return f"−{shown}" if value < 0 else f"+{shown}"


def charts(found: Outcome) -> list[Chart]:
    moments = moments_of(found)
    sides = (("A", found.a), ("B", found.b))
    return [
        Chart(
            key="conversion",
            title=gettext("Conversion rate"),
            moments=moments,
            series=[
                Series(name=f"{letter}: {side.name}", unit="percent", values=rate(side, found))
                for letter, side in sides
            ],
        ),
        Chart(
            key="calls",
            title=gettext("Recommendation calls"),
            moments=moments,
            series=[
                Series(name=f"{letter}: {side.name}", values=spread(side.line.calls_slices, found))
                for letter, side in sides
            ],
        ),
    ]


def rate(side: Side, found: Outcome) -> list[Number]:
    return shares(side.line.followed_slices, spread(side.line.calls_slices, found))

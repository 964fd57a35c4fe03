"""Charts as values, one list of numbers for each line; the four of the dashboard (engine-protocol.md 7.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from django.utils import formats, timezone
from django.utils.translation import gettext

from config.spreadsheets import neutral
from personalization.server.statistics.report import Report, rounded
from personalization.server.statistics.spans import DAY, Span

Number = int | float | None
# The lines of the last chart, in the order of the reference; codes of a customer's own follow them.
EVENTS = ("click", "buy", "clickrecommended", "consume", "rendered", "basket")
HUNDRED = 100


class Spanned(Protocol):
    """What has figures for each slice of a range."""

    @property
    def span(self) -> Span: ...


@dataclass(frozen=True, kw_only=True)
class Series:
    """``unit``: "number", "money" or "percent". ``values``: one for each slice; None where there is none."""

    name: str
    values: list[Number]
    unit: str = "number"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """``moments``: what to call each slice, in the site's time. ``currency``: of money.

    ``kind``: "line", or "bar" for slices that do not follow each other; ``heading``: what slices are then.
    """

    key: str
    title: str
    moments: list[str]
    series: list[Series]
    currency: str = ""
    kind: str = "line"
    heading: str = ""

    def document(self) -> dict[str, Any]:
        """What the script draws."""
        lines = [{"name": one.name, "values": one.values, "unit": one.unit} for one in self.series]
        return {"moments": self.moments, "series": lines, "currency": self.currency, "kind": self.kind}

    def rows(self) -> Iterator[list[str]]:
        """The table view: the moment, then the values in the reader's language."""
        for number, moment in enumerate(self.moments):
            yield [moment, *(said(one.values[number], one.unit) for one in self.series)]

    def cells(self) -> Iterator[list[Any]]:
        """The file: names of series come from outside and must not run as formulas."""
        yield [self.first, *(neutral(one.name) for one in self.series)]
        for number, moment in enumerate(self.moments):
            yield [moment, *(one.values[number] for one in self.series)]

    def summary(self) -> str:
        """The chart in a sentence for each line, for those who do not see it."""
        told = []
        for one in self.series:
            known = [value for value in one.values if value is not None]
            if known:
                words = {
                    "name": one.name,
                    "low": said(min(known), one.unit),
                    "high": said(max(known), one.unit),
                }
                told.append(gettext("%(name)s: from %(low)s to %(high)s.") % words)
        return " ".join([self.title + ".", *told])

    @property
    def first(self) -> str:
        """The heading of the first column."""
        return self.heading or gettext("From")

    @property
    def data_id(self) -> str:
        return f"chart-data-{self.key}"

    @property
    def is_empty(self) -> bool:
        return not any(value for one in self.series for value in one.values)


def said(value: Number, unit: str = "number") -> str:
    if value is None:
        return "–"
    places = {"money": 2, "percent": 1}.get(unit, 0)
    # Rounded first: number_format cuts off what it does not show.
    shown = formats.number_format(round(value, places), decimal_pos=places, force_grouping=True)
    return gettext("%(number)s %%") % {"number": shown} if unit == "percent" else shown


def charts(found: Report) -> list[Chart]:
    moments = moments_of(found)
    sold = found.revenue
    return [
        Chart(
            key="revenue",
            title=gettext("Revenue"),
            moments=moments,
            currency=sold.currency,
            series=[
                Series(
                    name=gettext("Revenue (%(currency)s)") % {"currency": sold.currency},
                    values=[float(rounded(sold.slices.get(n, Decimal(0)))) for n in range(len(moments))],
                    unit="money",
                ),
                Series(name=gettext("Items purchased"), values=spread(sold.pieces_slices, found)),
            ],
        ),
        Chart(key="calls", title=gettext("Recommendation calls"), moments=moments, series=calls(found)),
        Chart(key="conversion", title=gettext("Conversion rate"), moments=moments, series=conversion(found)),
        Chart(key="events", title=gettext("Collected events"), moments=moments, series=events(found)),
    ]


def moments_of(found: Spanned) -> list[str]:
    shown = "SHORT_DATETIME_FORMAT" if found.span.slice < DAY else "SHORT_DATE_FORMAT"
    return [formats.date_format(timezone.localtime(one), shown) for one in found.span.slices()]


def spread(counts: Mapping[int, int], found: Spanned) -> list[Number]:
    """Counts by the number of the slice as a list; what is beyond the last slice counts for it."""
    last = len(found.span.slices()) - 1
    values = [0] * (last + 1)
    for number, n in counts.items():
        values[min(number, last)] += n
    return list(values)


def calls(found: Report) -> list[Series]:
    lines = [
        Series(name=name, values=spread(line.calls_slices, found))
        for name, line in found.scenarios.items()
        if line.calls
    ]
    return [*lines, Series(name=gettext("Total"), values=list(found.calls))]


def conversion(found: Report) -> list[Series]:
    """Followed by calls in percent; nothing where there was no call."""
    lines = [
        Series(
            name=name, unit="percent", values=shares(line.followed_slices, spread(line.calls_slices, found))
        )
        for name, line in found.scenarios.items()
        if line.calls
    ]
    followed = dict(enumerate(found.events.get("clickrecommended", [])))
    total = Series(name=gettext("Total"), unit="percent", values=shares(followed, list(found.calls)))
    return [*lines, total]


def shares(followed: Mapping[int, int], asked: list[Number]) -> list[Number]:
    return [round(HUNDRED * followed.get(number, 0) / n, 2) if n else None for number, n in enumerate(asked)]


def events(found: Report) -> list[Series]:
    words = {
        "click": gettext("Clicked"),
        "buy": gettext("Purchased"),
        "clickrecommended": gettext("Clicked recommendations"),
        "consume": gettext("Consumed"),
        "rendered": gettext("Rendered"),
        "basket": gettext("Put into the basket"),
    }
    slices = len(found.span.slices())
    codes = [*EVENTS, *(code for code in found.events if code not in EVENTS)]
    lines = [
        Series(name=words.get(code, code), values=list(found.events.get(code, [0] * slices)))
        for code in codes
        if code in found.events
    ]
    bought = Series(
        name=gettext("Purchased recommendations"),
        values=spread(found.revenue.pieces_recommended_slices, found),
    )
    total: list[Number] = [sum(counts) for counts in zip(*found.events.values(), strict=True)] or [0] * slices
    return [*lines, bought, Series(name=gettext("Total"), values=total)]

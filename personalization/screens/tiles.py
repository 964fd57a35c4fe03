"""The four tiles of the dashboard: the last 30 days, and how they differ from the 30 before."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max
from django.utils import formats, timezone
from django.utils.translation import gettext

from personalization.screens.charts import HUNDRED, said
from personalization.screens.figures import before, figures
from personalization.screens.ranges import to_the_minute
from personalization.server.models import StoredItem
from personalization.server.statistics.report import Report
from personalization.server.statistics.spans import preset


@dataclass(frozen=True, kw_only=True)
class Tile:
    """``note``: the change, or when it was last updated."""

    label: str
    value: str
    note: str


def tiles(customer_id: str) -> list[Tile]:
    span = preset("month", now=to_the_minute(timezone.now()))
    now, earlier = figures(customer_id, span), before(customer_id, span)
    return [
        Tile(
            label=gettext("Recommendation calls"),
            value=said(now.total.calls),
            note=change(now.total.calls, earlier.total.calls),
        ),
        Tile(
            label=gettext("Clicked recommendations"),
            value=said(in_percent(now), "percent"),
            note=points(in_percent(now), in_percent(earlier)),
        ),
        imported(customer_id),
        Tile(
            label=gettext("Events collected"),
            value=said(collected(now)),
            note=change(collected(now), collected(earlier)),
        ),
    ]


def in_percent(found: Report) -> float | None:
    share = found.total.conversion
    return None if share is None else HUNDRED * share


def collected(found: Report) -> int:
    return sum(map(sum, found.events.values()))


def change(now: int, earlier: int) -> str:
    """In percent of the month before; of nothing there is no percentage."""
    if not earlier:
        return gettext("nothing in the previous 30 days")
    return signed(
        HUNDRED * (now - earlier) / earlier, gettext("%(change)s %% compared with the previous 30 days")
    )


def points(now: float | None, earlier: float | None) -> str:
    if now is None or earlier is None:
        return gettext("nothing in the previous 30 days")
    return signed(now - earlier, gettext("%(change)s percentage points compared with the previous 30 days"))


def signed(value: float, sentence: str) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    shown = formats.number_format(abs(value), decimal_pos=1, force_grouping=True)
    return sentence % {"change": f"{sign}{shown}"}


def imported(customer_id: str) -> Tile:
    """Items in several languages count once."""
    rows = StoredItem.objects.filter(customer_id=customer_id)
    newest = rows.aggregate(newest=Max("updated_at"))["newest"]
    note = gettext("nothing imported yet")
    if newest:
        moment = formats.date_format(timezone.localtime(newest), "SHORT_DATETIME_FORMAT")
        note = gettext("last update %(moment)s") % {"moment": moment}
    count = rows.values("item_type", "item_id").distinct().count()
    return Tile(label=gettext("Imported items"), value=said(count), note=note)

"""The figures of an evaluation in words: a line for each metric, and charts beside the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from personalization.screens.charts import HUNDRED, Chart, Series, said
from personalization.server.evaluation.models import Evaluation

LEARNT = "learnt"
LISTS: dict[str, str | Promise] = {
    LEARNT: _("For you (learnt)"),
    "popular": _("What is popular"),
    "random": _("Chance"),
}
# The name in the report, in the glossary, and how many places a number has; None: a share in percent.
METRICS: tuple[tuple[str, str, str | Promise, int | None], ...] = (
    ("recall", "recall", _("Recall"), None),
    ("ndcg", "ndcg", _("NDCG"), 4),
    ("hit_rate", "hit-rate", _("Hit rate"), None),
    ("mrr", "mrr", _("MRR"), 4),
    ("coverage", "coverage", _("Coverage"), None),
    ("popular_share", "popular-share", _("Popular share"), None),
    ("novelty", "novelty", _("Novelty"), 2),
)
RIGHT, VARIED = ("recall", "ndcg", "hit_rate", "mrr"), ("coverage", "popular_share")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A metric: ``term`` in the glossary, a text for each of the lists."""

    label: str
    term: str
    values: list[str]


def figures_of(row: Evaluation) -> dict[str, dict[str, float]]:
    """By the name of the lists, in one order: PostgreSQL keeps none in a document."""
    report: dict[str, Any] = row.report
    found = {LEARNT: report["figures"], **report.get("baselines", {})}
    order = list(LISTS)
    return dict(sorted(found.items(), key=lambda one: order.index(one[0]) if one[0] in order else len(order)))


def names_of(row: Evaluation) -> list[str]:
    return [str(LISTS.get(name, name)) for name in figures_of(row)]


def lines(row: Evaluation) -> list[Line]:
    lists = figures_of(row).values()
    return [
        Line(
            label=gettext("%(metric)s at %(places)d") % {"metric": label, "places": row.places},
            term=term,
            values=[shown(one.get(name), places) for one in lists],
        )
        for name, term, label, places in METRICS
    ]


def shown(value: float | None, places: int | None) -> str:
    if value is None:
        return "–"
    if places is None:
        return said(HUNDRED * value, "percent")
    return formats.number_format(round(value, places), decimal_pos=places)


def conclusion(row: Evaluation) -> str:
    """What the figures say, beside lists that know nobody."""
    found = figures_of(row)
    learnt, popular = found[LEARNT].get("recall", 0.0), found.get("popular", {}).get("recall", 0.0)
    if learnt <= popular:
        return gettext(
            "The learnt lists are no better than lists of what is popular. Most often there are too few "
            "events yet, or people all come to the same items."
        )
    if not popular:
        return gettext(
            "The learnt lists hold %(learnt)s of what people came to later; lists of what is popular hold "
            "nothing of it."
        ) % {"learnt": said(HUNDRED * learnt, "percent")}
    return gettext(
        "The learnt lists hold %(learnt)s of what people came to later, %(times)s times as much as lists of "
        "what is popular."
    ) % {
        "learnt": said(HUNDRED * learnt, "percent"),
        "times": formats.number_format(round(learnt / popular, 1), decimal_pos=1),
    }


def charts(row: Evaluation) -> list[Chart]:
    return [
        chart(row, "quality", gettext("Quality of the lists"), RIGHT),
        chart(row, "variety", gettext("Variety of the lists"), VARIED),
    ]


def chart(row: Evaluation, key: str, title: str, names: tuple[str, ...]) -> Chart:
    """All of these metrics lie between 0 and 1; they are drawn in percent."""
    labels = {name: str(label) for name, _term, label, _places in METRICS}
    return Chart(
        key=key,
        title=title,
        kind="bar",
        heading=gettext("Metric"),
        moments=[labels[name] for name in names],
        series=[
            Series(
                name=str(LISTS.get(lists, lists)),
                unit="percent",
                values=[round(HUNDRED * found.get(name, 0.0), 2) for name in names],
            )
            for lists, found in figures_of(row).items()
        ],
    )


def command(customer_id: str, row: Evaluation | None = None) -> str:
    """What to type to measure again what was measured, or for the first time."""
    words = f"manage.py evaluate customer --customer {customer_id}"
    if row is None:
        return words
    tuning = "" if row.tuned else " --no-tuning"
    return f"{words} --signal {row.signal} --days {row.days:g} --later {row.later:g} --k {row.places}{tuning}"

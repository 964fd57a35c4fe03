"""Codes of Operational Insights in words, and what to do about each."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cdp.activations import deliver
from cdp.audiences import calculate
from cdp.dataflows import matters
from cdp.own_exports import FAILED as EXPORT_FAILED
from cdp.profiles import feed, people, telling, unfinished
from cdp.profiles.models import Insight
from cdp.tracking.forget import REFUSED

LABELS = {
    matters.RUN_FAILED: _("A run of a dataflow failed"),
    matters.ROWS_REFUSED: _("Rows of a dataflow were refused"),
    matters.NEW_COLUMN: _("A dataflow has new columns"),
    matters.HELD_DROPPED: _("Held data was dropped"),
    calculate.FAILED: _("An audience could not be calculated"),
    deliver.FAILED: _("An activation cannot deliver"),
    EXPORT_FAILED: _("A scheduled export failed"),
    feed.FAILED: _("Tracked events cannot be read"),
    REFUSED: _("A tracked event cannot be delivered"),
    people.TOO_MANY: _("A merge of profiles was refused"),
    telling.NOT_TOLD: _("Not everybody was told of an erasure"),
    unfinished.STUCK: _("An erasure cannot be finished"),
}
CLOSES = {
    matters.RUN_FAILED: _("It closes by itself after a run without any fault."),
    matters.ROWS_REFUSED: _("It closes by itself after a run without any fault."),
    matters.NEW_COLUMN: _("It closes by itself after a run without such columns."),
    matters.HELD_DROPPED: _("It closes by itself after a run without any fault."),
    calculate.FAILED: _("It closes by itself once the audience is calculated."),
    deliver.FAILED: _("It closes by itself once everything is delivered."),
    EXPORT_FAILED: _("It closes by itself once the same entry of the schedule runs well."),
    feed.FAILED: _("It closes by itself once the events can be read."),
    REFUSED: _("It closes by itself when no such event is kept any more."),
    people.TOO_MANY: _("Close it when you have looked at it."),
    telling.NOT_TOLD: _("It closes by itself once everybody has heard of the erasure."),
    unfinished.STUCK: _("It closes by itself once the erasure is finished."),
}


def label_of(row: Insight) -> str:
    return str(LABELS.get(row.code, row.code))


def closes(row: Insight) -> str:
    return str(CLOSES.get(row.code, CLOSES[people.TOO_MANY]))

"""The range of time in the address of the dashboard: ``range=month``, or ``from`` and ``to`` as days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from personalization.server.statistics.spans import PRESETS, Span, WrongSpan, custom, preset

NAMES = {
    "day": _("24 hours"),
    "week": _("7 days"),
    "month": _("30 days"),
    "quarter": _("3 months"),
    "year": _("Year"),
}
DAY = timedelta(days=1)


class RangeForm(forms.Form):
    """A preset, or both days. The last day is part of the range."""

    range = forms.ChoiceField(choices=[(name, name) for name in PRESETS], required=False)
    begin = forms.DateField(label=_("From"), required=False)
    end = forms.DateField(label=pgettext_lazy("end of a range", "To"), required=False)

    def __init__(self, query: Any) -> None:
        names = {"range": "range", "begin": "from", "end": "to"}
        super().__init__({name: query.get(key, "") for name, key in names.items()})
        for name in ("begin", "end"):
            self.fields[name].error_messages["invalid"] = gettext("A day looks like 2026-01-31.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        if (given["begin"] is None) != (given["end"] is None):
            raise ValidationError(gettext("A range of your own needs both its first and its last day."))
        given["span"] = self.span(given["begin"], given["end"]) if given["begin"] else None
        return given

    def span(self, begin: date, end: date) -> Span:
        now = timezone.now()
        if begin > timezone.localdate(now):
            raise ValidationError(gettext("The range begins in the future."))
        if end < begin:
            raise ValidationError(gettext("The range ends before it begins."))
        try:
            return custom(midnight(begin), min(midnight(end) + DAY, now))
        except (WrongSpan, OverflowError) as fault:
            raise ValidationError(gettext("The range is too long.")) from fault

    @property
    def name(self) -> str:
        """The preset; empty for days that were typed."""
        if self.is_valid() and self.cleaned_data["span"]:
            return ""
        return (self.is_valid() and self.cleaned_data["range"]) or "day"

    def wanted(self) -> Span:
        """What was asked for; the last day for what cannot be."""
        own = self.cleaned_data["span"] if self.is_valid() else None
        return own or preset(self.name, now=to_the_minute(timezone.now()))


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def to_the_minute(moment: datetime) -> datetime:
    """So that what was read a moment ago is still the same range; the minute that runs is in it."""
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)

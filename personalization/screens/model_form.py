"""The form of one model: name, parameters of its kind, divisions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from personalization.server import bounds, division_text
from personalization.server.division_text import WrongLine
from personalization.server.divisions import Divisions
from personalization.server.in_force import parameters_of
from personalization.server.learning import registry
from personalization.server.models import Model
from personalization.server.wrong import Wrong
from tracking.events import RULES

WINDOW, UNIT = "window_days", "unit"
HOURS = 24
SPARE = 1  # empty rows for one more attribute
ROWS = Divisions.model_fields["nominal"].metadata[0].max_length
NOMINAL, NUMERIC = "nominal", "numeric"


def number_text(value: float) -> str:
    return f"{value:g}"


class ModelSettings(forms.Form):
    """An empty parameter is not set: what is found on the customer's events holds, else the kind's own."""

    name = forms.CharField(label=_("Name"), max_length=128)

    def __init__(self, model: Model, *args: Any, **kwargs: Any) -> None:
        self.model = model
        self.kind = registry.kind(model.kind)
        self.in_force = parameters_of(model)
        self.divisions = Divisions.model_validate(model.divisions or {})
        kwargs.setdefault("initial", {"name": model.name})
        super().__init__(*args, **kwargs)
        for name, default in self.kind.defaults.items():
            self.add_parameter(name, default)
        if self.kind.divides:
            self.add_divisions()

    # --- Parameters ------------------------------------------------------------------------------

    def add_parameter(self, name: str, default: Any) -> None:
        bound = bounds.bound_of(name)
        stored = self.model.parameters.get(name)
        shown: dict[str, Any] = {"label": bound.label, "help_text": bound.help, "required": False}
        if name == WINDOW:
            self.add_window(stored, shown)
            return
        if name == "from_event":
            codes = [("", _("as usual")), *((code, code) for code in RULES)]
            field: forms.Field = forms.ChoiceField(choices=codes, **shown)
        elif isinstance(default, int | float) and not isinstance(default, bool):
            field = self.number(name, default, shown)
            stored = None if stored is None else number_text(stored)
        else:
            field = forms.CharField(max_length=1000, **shown)
            stored = ", ".join(stored) if isinstance(stored, list) else stored
        field.initial = stored
        self.fields[f"parameter-{name}"] = field

    def number(self, name: str, default: float, shown: dict[str, Any]) -> forms.Field:
        bound = bounds.bound_of(name)
        if bound.unit:
            shown["label"] = format_lazy("{label} ({unit})", label=bound.label, unit=bound.unit)
        whole = isinstance(default, int)
        widget = forms.NumberInput(
            attrs={"placeholder": number_text(self.in_force[name]), "step": 1 if whole else "any"}
        )
        if whole:
            return forms.IntegerField(
                min_value=int(bound.low), max_value=int(bound.high), widget=widget, **shown
            )
        return forms.FloatField(min_value=bound.low, max_value=bound.high, widget=widget, **shown)

    def add_window(self, stored: float | None, shown: dict[str, Any]) -> None:
        """A period of 1 to 999 hours or days (engine-protocol.md 5.2)."""
        of = self.in_force[WINDOW] if stored is None else stored
        in_hours = of < 1 or of % 1 != 0
        period = number_text(round(of * HOURS) if in_hours else of)
        self.fields[f"parameter-{WINDOW}"] = forms.IntegerField(
            min_value=1,
            max_value=999,
            initial=None if stored is None else period,
            widget=forms.NumberInput(attrs={"placeholder": period}),
            **shown,
        )
        units = [("days", _("days")), ("hours", _("hours"))]
        self.fields[UNIT] = forms.ChoiceField(
            label=_("Unit of the relevant history"),
            choices=units,
            required=False,
            initial="hours" if in_hours else "days",
        )

    def parameters(self) -> dict[str, Any]:
        """What was set. A number is whole where the kind's own is."""
        found: dict[str, Any] = {}
        for name, default in self.kind.defaults.items():
            value = self.cleaned_data.get(f"parameter-{name}")
            if value in (None, ""):
                continue
            if name == WINDOW:
                value = value / HOURS if self.cleaned_data.get(UNIT) == "hours" else float(value)
            elif isinstance(default, list):
                value = [part.strip() for part in value.split(",") if part.strip()]
            found[name] = value
        return found

    # --- Divisions -------------------------------------------------------------------------------

    def add_divisions(self) -> None:
        # What was sent says how many rows there are, what is stored how many there were.
        for name, stored in ((NOMINAL, self.divisions.nominal), (NUMERIC, self.divisions.numeric)):
            for place in range(min(max(len(stored), self.sent(name)) + SPARE, ROWS)):
                one = stored[place] if place < len(stored) else None
                self.add_row(name, place, one)
        self.fields["dynamic"] = forms.BooleanField(
            label=_("Divide by every attribute that is asked for"),
            help_text=_(
                "Attributes of up to 50 values, from the next build on, until nobody has asked for 5 days."
            ),
            required=False,
            initial=self.divisions.dynamic,
        )
        self.fields["slots"] = forms.CharField(
            label=_("Time slots"),
            help_text=_("One a line, such as 06:00-10:00. They may not overlap or cross midnight."),
            required=False,
            initial=division_text.text_of_slots(self.divisions.slots),
            widget=forms.Textarea(attrs={"rows": 3}),
        )
        self.fields["segments"] = forms.CharField(
            label=_("Segment groups"),
            help_text=_(
                "One a line: a name, a colon, numbers of segments: women in Poland: 7 AND (10 OR 11)"
            ),
            required=False,
            initial=division_text.text_of_segments(self.divisions.segments),
            widget=forms.Textarea(attrs={"rows": 4}),
        )

    def sent(self, name: str) -> int:
        places = [
            key.split("-")[1] for key in self.data if key.startswith(f"{name}-") and key.count("-") == 2
        ]
        return max(
            (int(one) + 1 for one in places if one.isascii() and one.isdigit() and len(one) < 4), default=0
        )

    def add_row(self, name: str, place: int, one: Any) -> None:
        text = ""
        if one is not None:
            text = (
                division_text.text_of_groups(one) if name == NOMINAL else division_text.text_of_intervals(one)
            )
        self.fields[f"{name}-{place}-attribute"] = forms.RegexField(
            label=_("Attribute"),
            regex=r"^[A-Za-z0-9_]{1,64}\Z",
            required=False,
            initial=one.attribute if one else "",
            error_messages={"invalid": _("An attribute has letters, digits and underscores.")},
        )
        self.fields[f"{name}-{place}-lines"] = forms.CharField(
            label=_("Values, a group a line: reds: red, pink") if name == NOMINAL else _("Intervals: 20:40"),
            required=False,
            initial=text,
            widget=forms.Textarea(attrs={"rows": max(3, text.count("\n") + 2)}),
        )

    def rows(self, name: str) -> list[tuple[Any, Any]]:
        """The pairs of fields of one sort of submodels, to be shown."""
        places = sum(key.startswith(f"{name}-") and key.endswith("-lines") for key in self.fields)
        return [(self[f"{name}-{place}-attribute"], self[f"{name}-{place}-lines"]) for place in range(places)]

    @cached_property
    def nominal_rows(self) -> list[tuple[Any, Any]]:
        return self.rows(NOMINAL)

    @cached_property
    def numeric_rows(self) -> list[tuple[Any, Any]]:
        return self.rows(NUMERIC)

    @property
    def parameter_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("parameter-") or name == UNIT]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        self.document: dict[str, Any] = {}
        if self.kind.divides:
            self.document = {
                NOMINAL: self.cleaned_rows(given, NOMINAL, "groups"),
                NUMERIC: self.cleaned_rows(given, NUMERIC, "intervals"),
                "dynamic": bool(given.get("dynamic")),
                "slots": self.read("slots", division_text.slots_of, given),
                "segments": self.read("segments", division_text.segment_groups_of, given),
            }
        return given

    def cleaned_rows(self, given: dict[str, Any], name: str, what: str) -> list[dict[str, Any]]:
        reader = division_text.groups_of if name == NOMINAL else division_text.intervals_of
        found = []
        for attribute, lines in self.rows(name):
            key = given.get(attribute.name) or ""
            values = self.read(lines.name, reader, given)
            if bool(key) != bool(given.get(lines.name)) and not (attribute.errors or lines.errors):
                self.add_error(
                    lines.name if key else attribute.name,
                    gettext("Name an attribute and its values, or leave both empty."),
                )
            elif key:
                found.append({"attribute": key, what: values})
        return found

    def read(self, field: str, reader: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = reader(given.get(field) or "")
        except WrongLine as fault:
            self.add_error(field, str(fault))
            return []
        return found

    def refuse(self, fault: Wrong) -> None:
        """Put what the rules say beside the fields."""
        for field, message in fault.problems:
            first = next(
                (name for name in self.fields if name == field or name.startswith(f"{field}-")), None
            )
            self.add_error(first if field else None, message)

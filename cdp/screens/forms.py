"""Forms of the dataflow creator: what the browser sends, as the documents that a dataflow keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from cdp.dataflows.columns import TYPES, Found
from cdp.dataflows.configuration import ENCODINGS, Column, Parsing
from cdp.dataflows.faults import DataflowFault

__all__ = ["TYPES", "General", "ParsingForm", "column_rows", "columns_of", "general_of"]

FORMATS = (("json", _("JSON array")), ("ndjson", _("JSON lines")), ("csv", "CSV"), ("tsv", "TSV"))


class General(forms.Form):
    """Stage 1. What is wrong is for the lifecycle to say, in one place."""

    name = forms.CharField(label=_("Name"), max_length=100)
    source = forms.ChoiceField(label=_("Source"), choices=[("stream_file", _("Stream File"))])
    destination = forms.ChoiceField(label=_("Destination"), choices=[("cdp", "CDP")])
    description = forms.CharField(
        label=_("Description"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def general_of(posted: QueryDict) -> dict[str, str]:
    names = ("name", "source", "destination", "description")
    return {name: str(posted[name]) for name in names if name in posted}


class ParsingForm(forms.Form):
    """Parsing options of stage 3."""

    format = forms.ChoiceField(label=_("Format"), choices=FORMATS)
    records_path = forms.CharField(
        label=_("Path of the rows"),
        required=False,
        help_text=_("JSON only: the keys that lead to the list of rows, such as data.users."),
    )
    encoding = forms.ChoiceField(label=_("Encoding"), choices=[(one, one) for one in ENCODINGS])
    delimiter = forms.CharField(
        label=_("Delimiter"),
        required=False,
        max_length=1,
        strip=False,
        help_text=_("One character; a tab is written \\t."),
    )
    quote = forms.ChoiceField(label=_("Quote"), choices=[('"', '"'), ("'", "'")])
    escape = forms.ChoiceField(
        label=_("A quote within quotes"),
        choices=[("doubled", _("is doubled")), ("backslash", _("follows a backslash"))],
    )
    header = forms.BooleanField(label=_("The first row has the names"), required=False)
    skip_rows = forms.IntegerField(label=_("Rows to skip"), min_value=0, max_value=100, initial=0)
    null_tokens = forms.CharField(
        label=_("Texts that mean nothing"), required=False, help_text=_("Separated by commas: NULL, n/a")
    )
    decimal = forms.ChoiceField(label=_("Decimal separator"), choices=[(".", "."), (",", ",")])
    date_formats = forms.CharField(
        label=_("Formats of dates"),
        required=False,
        help_text=_("Beside ISO 8601, separated by commas: %d.%m.%Y"),
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        if data is not None and data.get("delimiter") == "\\t":
            data = data.copy()
            data["delimiter"] = "\t"
        super().__init__(data, **kwargs)

    @classmethod
    def of(cls, parsing: Parsing | None, posted: QueryDict | None) -> ParsingForm:
        if posted is not None and "format" in posted:
            return cls(posted)
        initial: dict[str, Any] = (parsing or Parsing()).model_dump()
        initial["null_tokens"] = ", ".join(initial["null_tokens"])
        initial["date_formats"] = ", ".join(initial["date_formats"])
        if initial["delimiter"] == "\t":
            initial["delimiter"] = "\\t"
        return cls(initial=initial)

    def parsing(self) -> Parsing:
        """Raises :class:`DataflowFault` for options that cannot be."""
        if not self.is_valid():
            name, found = next(iter(self.errors.items()))
            raise DataflowFault("bad_parsing", f"{name}: {found[0]}", field=name)
        given = dict(self.cleaned_data)
        for name in ("null_tokens", "date_formats"):
            given[name] = tuple(part.strip() for part in given[name].split(",") if part.strip())
        given["delimiter"] = given["delimiter"] or ("\t" if given["format"] == "tsv" else ",")
        try:
            return Parsing(**given)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = str(fault["loc"][0])
            raise DataflowFault("bad_parsing", f"{name}: {fault['msg']}.", field=name) from None


def column_rows(
    columns: Sequence[Column], found: Mapping[str, Found], posted: QueryDict | None
) -> list[dict[str, Any]]:
    """Rows of the table of columns; with what was typed where that was refused."""
    rows = []
    for place, one in enumerate(columns):
        shown = one
        if posted is not None and f"name-{place}" in posted:
            shown = column_of(posted, place, one)
        rows.append({"place": place, "column": shown, "found": found.get(one.source)})
    return rows


def columns_of(posted: QueryDict, before: Sequence[Column]) -> list[Column]:
    return [column_of(posted, place, one) for place, one in enumerate(before)]


def column_of(posted: QueryDict, place: int, before: Column) -> Column:
    kind = posted.get(f"type-{place}", before.type)
    if kind not in TYPES:
        raise DataflowFault("incompatible_type", f"There is no type {kind[:40]!r}.", field=before.source)
    return before.model_copy(
        update={
            "name": posted.get(f"name-{place}", before.name).strip(),
            "type": kind,
            "mandatory": f"mandatory-{place}" in posted,
            "included": f"included-{place}" in posted,
        }
    )

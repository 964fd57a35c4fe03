"""What was wrong with the rows of a run, in words: equal findings are one line (reference `cdp.md` 2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cdp.dataflows.models import RowError, SchemaField

MOST_ROWS, MOST_VALUES = 8, 3

SENTENCES: dict[str, Promise] = {
    "identifier_missing": _("%(column)s is empty, so nobody knows whose row it is."),
    "bad_identifier": _("The value of %(column)s cannot identify a person."),
    "identifier_blocked": _("The value of %(column)s stands for nobody, as 0 and anonymous do."),
    "mandatory_empty": _("%(column)s is mandatory, and it is empty."),
    "type_mismatch": _("The value of %(column)s does not fit its type."),
    "transformation_failed": _("The transformation that makes %(column)s cannot be done with the value."),
    "suppressed": _("The person has been erased, and nothing of them may be stored."),
    "bad_interaction": _("What the person did cannot be stored: see %(column)s."),
    "key_too_long": _("The value of %(column)s, the key of the catalogue, is too long."),
    "amount_rounded": _("%(column)s has more than four decimals."),
    "not_object": _("The row is no object of names and values."),
    "ragged_row": _("The row has more cells than the first row has names."),
    "too_deep": _("The row has too many lists and objects in each other."),
    "too_many_columns": _("The row has too many columns."),
}
OTHER = _("The row cannot be stored.")
OF_A_TYPE = _("The value of %(column)s does not fit its type (%(type)s).")


@dataclass(kw_only=True)
class Finding:
    """Rows with the same fault in the same column. ``rows`` count from 1, ``values`` are masked."""

    code: str
    sentence: str
    is_warning: bool
    count: int = 0
    rows: list[int] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def add(self, error: RowError) -> None:
        self.count += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(error.index + 1)
        if error.value and error.value not in self.values and len(self.values) < MOST_VALUES:
            self.values.append(error.value)

    @property
    def outcome(self) -> str:
        if not self.is_warning:
            return gettext("row refused")
        return gettext("rounded") if self.code == "amount_rounded" else gettext("stored without the value")

    @property
    def places(self) -> str:
        """The first row numbers."""
        return ", ".join(map(str, self.rows)) + (", …" if self.count > len(self.rows) else "")


def found(errors: Iterable[RowError], types: Mapping[str, str]) -> list[Finding]:
    """What refused rows first, then what was left out; the most frequent first. ``types``: by column."""
    lines: dict[tuple[str, str, bool], Finding] = {}
    for one in errors:
        key = (one.code, one.column, one.is_warning)
        if key not in lines:
            lines[key] = Finding(
                code=one.code, sentence=sentence(one.code, one.column, types), is_warning=one.is_warning
            )
        lines[key].add(one)
    return sorted(lines.values(), key=lambda one: (one.is_warning, -one.count))


def sentence(code: str, column: str, types: Mapping[str, str]) -> str:
    kind = types.get(column)
    words = SENTENCES.get(code, OTHER)
    if code == "type_mismatch" and kind:
        return str(OF_A_TYPE) % {"column": column, "type": type_name(kind)}
    return str(words) % {"column": column}


def type_name(kind: str) -> str:
    """A type of columns as people say it."""
    names = dict(SchemaField.Type.choices) | {"object": gettext("object")}
    return str(names.get(kind, kind))

"""The form of one scenario: general fields, filters, and the board of levels as the browser sends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from personalization.server.learning import registry
from personalization.server.learning.base import FROM_CONTEXT, Serves
from personalization.server.models import Model, Scenario
from personalization.server.scenarios.changes import Given
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import MAX_LEVELS, Context
from personalization.server.wrong import Problem, Wrong

LEVELS = (_("Primary models"), _("Fallback 1"), _("Fallback 2"), _("Fallback 3"))
CONTEXTS = (
    (Context.AUTOMATIC, _("Automatic: the items of the page, else clicks")),
    (Context.ITEM, _("Items of the page")),
    (Context.CLICKED, _("What the user clicked")),
    (Context.CONSUMED, _("What the user consumed")),
    (Context.OWNS, _("What the user owns")),
    (Context.RATED, _("What the user rated")),
    (Context.BASKET, _("The basket")),
    (Context.NONE, _("None")),
)
DATA = (("default", _("Default")), ("submodels", _("Submodels")), ("segments", _("Segments")))
STEPS = range(1, 6)


def levels_up(n: int) -> Any:
    return ngettext_lazy("Up to {n} level above the category", "Up to {n} levels above the category", n)


CATEGORIES = (
    ("whole:0", _("The whole site")),
    ("same:0", _("The same category and below")),
    *((f"up:{n}", format_lazy(levels_up(n), n=n)) for n in STEPS),
    *((f"main:{n}", format_lazy(_("The main category of level {n}"), n=n)) for n in STEPS),
)
REFERENCES = (("request", _("of the request (categorypath)")), ("context", _("of the context items")))
BOOST_ROWS = Filters.model_fields["boosts"].metadata[0].max_length
PROFILE = ("exclude_context_items", "exclude_consumed", "exclude_purchased", "max_shows")
EXCLUSIONS = ("exclude_context_category", "excluded_categories", "max_item_age_days")
COMMERCE = ("exclude_top_selling", "exclude_cheaper", "min_price", "exclude_unpriced", "variants")
INVERTED = "variants"  # the filter says what is recommended, the box what is not


class ScenarioForm(forms.Form):
    """General fields and filters. What is wrong with them is for the rules to say, in one place."""

    name = forms.CharField(label=_("Name"), max_length=128)
    identifier = forms.CharField(
        label=_("Identifier"),
        max_length=64,
        help_text=_("Stands in addresses and templates and cannot be changed later, such as front."),
    )
    description = forms.CharField(
        label=_("Description"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    input_type = forms.ChoiceField(label=_("Input type"), required=False)
    output_types = forms.MultipleChoiceField(
        label=_("Output types"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What may be recommended. None ticked: items of every type."),
    )
    exclude_context_items = forms.BooleanField(
        label=_("Do not recommend the item currently viewed"), required=False
    )
    exclude_consumed = forms.BooleanField(
        label=_("Do not recommend items the user already consumed"), required=False
    )
    exclude_purchased = forms.BooleanField(
        label=_("Do not recommend items the user already purchased"), required=False
    )
    max_shows = forms.IntegerField(
        label=_("Show an item at most this often per visit"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("Empty: any number."),
    )
    exclude_context_category = forms.BooleanField(
        label=_("Exclude the category of the context item"), required=False
    )
    excluded_categories = forms.CharField(
        label=_("Excluded categories"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Paths, one a line, such as /1/2/95; everything below is left out, too."),
    )
    max_item_age_days = forms.FloatField(
        label=_("Maximum item age (days)"), required=False, max_value=36_500, help_text=_("Empty: any age.")
    )
    exclude_top_selling = forms.BooleanField(label=_("No top-selling items"), required=False)
    exclude_cheaper = forms.BooleanField(
        label=_("No items that cost less than the context item"), required=False
    )
    min_price = forms.FloatField(label=_("Minimum price"), required=False)
    exclude_unpriced = forms.BooleanField(
        label=_("No items whose price is unknown"),
        required=False,
        help_text=_("Together with one of the two filters of prices."),
    )
    variants = forms.BooleanField(
        label=_("Do not recommend product variants"),
        required=False,
        help_text=_("Products instead of their variants."),
    )

    def __init__(self, row: Scenario | None, types: Mapping[int, str], *args: Any, **kwargs: Any) -> None:
        self.row = row
        if row is not None:
            kwargs.setdefault("initial", initial_of(row))
        else:
            kwargs.setdefault("initial", {"exclude_context_items": True})
        super().__init__(*args, **kwargs)
        known = dict(types)
        for one in [
            *(row.output_types if row else ()),
            *([row.input_type] if row and row.input_type else ()),
        ]:
            known.setdefault(one, "")
        choices = [(str(one), f"{name} ({one})" if name else str(one)) for one, name in sorted(known.items())]
        of_input, of_output = self.fields["input_type"], self.fields["output_types"]
        assert isinstance(of_input, forms.ChoiceField)  # noqa: S101 - narrows the type
        assert isinstance(of_output, forms.MultipleChoiceField)  # noqa: S101 - narrows the type
        of_input.choices = [("", _("any type")), *choices]
        of_output.choices = choices
        if row is not None:
            del self.fields["identifier"]

    def given(self, posted: QueryDict) -> Given:
        """What was sent, as the rules take it. Raises :class:`Wrong` for what is no form of ours."""
        data = self.cleaned_data
        return Given(
            name=data["name"],
            description=data["description"],
            input_type=int(data["input_type"]) if data["input_type"] else None,
            output_types=[int(one) for one in data["output_types"]],
            strategy={"levels": filled(levels_of(posted))},
            filters=self.filters(posted),
        )

    def filters(self, posted: QueryDict) -> dict[str, Any]:
        data = self.cleaned_data
        found = {name: data[name] for name in (*PROFILE, *EXCLUSIONS, *COMMERCE)}
        found[INVERTED] = not data[INVERTED]
        found["excluded_categories"] = [
            line for line in data["excluded_categories"].splitlines() if line.strip()
        ]
        found["boosts"] = [one for one in boosts_of(posted) if any(one.values())]
        return found

    def refuse(self, fault: Wrong) -> None:
        """Put what the rules say beside the fields; the board and the boosts show theirs themselves."""
        for field, message in fault.problems:
            if field in self.fields or not field:
                self.add_error(field or None, message)

    def group(self, names: Sequence[str]) -> Iterator[Any]:
        return (self[name] for name in names)

    @property
    def profile(self) -> list[Any]:
        return list(self.group(PROFILE))

    @property
    def exclusions(self) -> list[Any]:
        return list(self.group(EXCLUSIONS))

    @property
    def commerce(self) -> list[Any]:
        return list(self.group(COMMERCE))


def initial_of(row: Scenario) -> dict[str, Any]:
    filters = Filters.model_validate(row.filters)
    found: dict[str, Any] = filters.model_dump() | {
        "name": row.name,
        "description": row.description,
        "input_type": str(row.input_type or ""),
        "output_types": [str(one) for one in row.output_types],
    }
    found["excluded_categories"] = "\n".join(f"/{path}" for path in filters.excluded_categories)
    found[INVERTED] = not filters.variants
    return found


def boosts_of(posted: QueryDict) -> list[dict[str, str]]:
    """Rows of boosts as they were typed."""
    names = ("item_attribute", "user_attribute", "places")
    columns = [posted.getlist(f"boost-{name}") for name in names]
    return [dict(zip(names, map(str.strip, row), strict=True)) for row in zip(*columns, strict=False)]


def levels_of(posted: QueryDict) -> list[dict[str, Any]]:
    """The four levels with what is placed on each, as they were sent. Raises :class:`Wrong`."""
    columns = [posted.getlist(f"placed-{name}") for name in ("level", "model", "context", "data")]
    if len({len(column) for column in columns}) > 1:
        said = gettext("The levels did not arrive whole; load the page again.")
        raise Wrong([Problem("strategy", said)])
    levels: list[dict[str, Any]] = [
        {"models": [], "category": category_of(posted, number)} for number in range(MAX_LEVELS)
    ]
    for level, model, context, data in zip(*columns, strict=True):
        if level not in map(str, range(MAX_LEVELS)):
            said = gettext("There are %(count)d levels; got %(level)s.")
            raise Wrong([Problem("strategy", said % {"count": MAX_LEVELS, "level": level[:20]})])
        levels[int(level)]["models"].append({"model": model, "context": context, "data": data})
    return levels


def filled(levels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The levels that hold a model; the others have no place in a strategy."""
    return [one for one in levels if one["models"]]


def category_of(posted: QueryDict, number: int) -> dict[str, Any]:
    mode, _colon, steps = posted.get(f"category-{number}", "whole:0").partition(":")
    reference = posted.get(f"reference-{number}", "request")
    return {"mode": mode, "steps": steps, "reference": reference}


def board(levels: Sequence[Mapping[str, Any]], models: Sequence[Model]) -> list[dict[str, Any]]:
    """The four levels to be shown: what is placed on each, and its category."""
    known = {row.identifier: row for row in models}
    found = []
    for number, label in enumerate(LEVELS):
        one = levels[number] if number < len(levels) else {"models": [], "category": {}}
        category = one.get("category") or {}
        found.append(
            {
                "number": number,
                "label": label,
                "placed": [card(placed, known.get(str(placed["model"]))) for placed in one["models"]],
                "category": f"{category.get('mode', 'whole')}:{category.get('steps', 0)}",
                "reference": category.get("reference", "request"),
            }
        )
    return found


def card(placed: Mapping[str, Any], row: Model | None) -> dict[str, Any]:
    return dict(placed) | {"name": row.name if row else placed["model"]} | abilities(row)


def abilities(row: Model | None) -> dict[str, bool]:
    kind = registry.kind(row.kind) if row else None
    return {
        "divides": bool(kind and kind.divides),
        "needs_context": bool(kind and kind.serves in FROM_CONTEXT),
        "is_gone": row is None,
    }


def pool(models: Sequence[Model]) -> list[dict[str, Any]]:
    """The models that can be placed."""
    return [
        {"identifier": row.identifier, "name": row.name} | abilities(row)
        for row in models
        if registry.kind(row.kind).serves is not Serves.NOTHING
    ]

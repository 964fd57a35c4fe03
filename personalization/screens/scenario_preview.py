"""What a scenario recommends to somebody, and why (reference `engine-protocol.md` 6.7)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from personalization.contracts import MAX_RECOMMENDATIONS
from personalization.screens.scenario_editor import ScenarioPage
from personalization.screens.scenario_form import LEVELS
from personalization.screens.scenarios import CHANGE
from personalization.server import preview
from personalization.server.candidates import Seed
from personalization.server.items import search
from personalization.server.preview import Previewed
from personalization.server.recommend import Explained, Recommended
from tracking import identity

ALL = "all"
SHOWN_FIRST = 6
SEEDS_SHOWN = 10
# What the engine says of a model in its own words.
LACKED = {
    "no context items": _("no context items"),
    "exactly one segment": _("exactly one segment must be named"),
    "no attributes of the user": _("nothing is known of the user"),
    "no purchases of the user": _("the user bought nothing"),
    "the model does not exist": _("the model does not exist"),
    "the model was never built": _("the model was never built"),
    "no category": _("no category to refer to"),
}
TAKEN_OUT = {
    "not in the catalogue": _("not imported any more"),
    "validity": _("validity"),
    "output type": _("output type"),
    "category": _("category of the level"),
    "excluded category": _("excluded category"),
    "excluded item": _("seen, owned, blacklisted or recommended already"),
    "unknown price": _("unknown price"),
    "price": _("price"),
    "item age": _("item age"),
    "product variants": _("product variants"),
}
# The parameter that a refusal names first, and the field that it came from.
FIELDS = {"numrecs": "count", "contextitems": "items", "categorypath": "paths", "outputtypeid": "output"}


class PreviewForm(forms.Form):
    """Parameters of the request, as the API has them."""

    user = forms.CharField(
        label=_("User id"), required=False, max_length=1024, help_text=_("As pages send it. Empty: nobody.")
    )
    pseudonym = forms.RegexField(
        label=_("Or pseudonym of the user"),
        regex=rf"^{identity.STORED}\Z",
        required=False,
        help_text=_("As the event debugger shows it."),
        error_messages={
            "invalid": _("A pseudonym has 32 digits and letters, as the event debugger shows it.")
        },
    )
    items = forms.CharField(
        label=_("Context items"),
        required=False,
        max_length=2000,
        help_text=_("Ids separated by commas, or CLICKED, CONSUMED, OWNS, RATED, BASKET."),
    )
    count = forms.IntegerField(
        label=_("Number of recommendations"), min_value=1, max_value=MAX_RECOMMENDATIONS, initial=SHOWN_FIRST
    )
    output = forms.ChoiceField(label=_("Output type"), required=False)
    paths = forms.CharField(
        label=_("Category paths"),
        required=False,
        max_length=4000,
        help_text=_("Such as /1/2/95, separated by commas."),
    )
    segments = forms.CharField(
        label=_("Segments"), required=False, max_length=500, help_text=_("Numbers separated by commas.")
    )
    attributes = forms.CharField(
        label=_("Attributes of the answer"),
        required=False,
        max_length=2000,
        help_text=_("Such as title,image."),
    )
    more = forms.CharField(
        label=_("Further parameters"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, such as color=red or usetimeslot=true."),
    )

    def __init__(self, types: dict[int, str], output_types: list[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = output_types or sorted(types)
        named = [(str(one), f"{types[one]} ({one})" if types.get(one) else str(one)) for one in offered]
        field = self.fields["output"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type
        # Without an own list of types a scenario recommends all of them anyway.
        field.choices = (
            [("", pgettext("output type", "first")), (ALL, _("All")), *named]
            if output_types
            else [("", _("All")), *named]
        )

    def clean_items(self) -> str:
        """Lists of items show type and number, as 39/97; the API wants the number alone."""
        given: str = self.cleaned_data["items"]
        return ",".join(one.rpartition("/")[2].strip() for one in given.split(","))

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("user") and given.get("pseudonym"):
            self.add_error("pseudonym", gettext("Enter the user id or the pseudonym, not both."))
        for line in given.get("more", "").splitlines():
            if line.strip() and "=" not in line.strip(" ="):
                self.add_error("more", gettext("Write a name, = and a value; got %s") % line[:80])
        return given

    def query(self) -> QueryDict:
        """The parameters of the API."""
        given = self.cleaned_data
        query = QueryDict(mutable=True)
        query["numrecs"] = str(given["count"])
        for name, field in (("contextitems", "items"), ("segments", "segments"), ("attribute", "attributes")):
            if given[field].strip():
                query[name] = given[field].strip()
        if given["output"] == ALL:
            query["crosscontenttype"] = "true"
        elif given["output"]:
            query["outputtypeid"] = given["output"]
        query.setlist("categorypath", [one.strip() for one in given["paths"].split(",") if one.strip()])
        for line in given["more"].splitlines():
            name, _equals, value = line.partition("=")
            if name.strip():
                query.appendlist(name.strip(), value.strip())
        return query


class ScenarioPreview(ScenarioPage):
    template_name = "personalization/scenarios/preview.html"
    header_icon = "view"
    actions = ("send",)
    unlogged: ClassVar = {"send": "shows what would be answered, and stores nothing"}
    found: Previewed | None = None
    form: PreviewForm | None = None
    address = ""

    def get_page_title(self) -> str:
        return gettext("Preview")

    def get_page_subtitle(self) -> str:
        return self.row.name

    def trail(self) -> list[dict[str, Any]]:
        url = reverse("personalization_scenario", args=[self.row.pk])
        return [*super().trail(), {"url": url, "label": self.row.name}]

    @cached_property
    def types(self) -> dict[int, str]:
        return search.types(self.account.customer_id)

    def do_send(self) -> HttpResponse:
        row = self.row
        self.form = form = PreviewForm(self.types, row.output_types, self.request.POST)
        if form.is_valid():
            given, query = form.cleaned_data, form.query()
            self.found = found = preview.preview(
                self.account, row.identifier, query, user=given["user"], pseudonym=given["pseudonym"]
            )
            if not given["pseudonym"]:
                self.address = preview.address(self.account, row.identifier, query, user=given["user"])
            if found.status == 400:
                form.add_error(FIELDS.get(found.message.split()[0]), found.message)
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        if form.errors:
            answer.status_code = 422
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.found
        return super().get_context_data(**kwargs) | {
            "scenario": self.row,
            "account": self.account,
            "form": self.form or PreviewForm(self.types, self.row.output_types),
            "found": found,
            "tiles": tiles(self.account.customer_id, found) if found else [],
            "seeds": seeds(self.account.customer_id, found.answer.context) if found else [],
            "levels": list(levels(found)) if found else [],
            "address": self.address,
            "needs_signature": self.account.gate.signed_users,
            "may_change": self.is_allowed(CHANGE),
            "search_url": f"{reverse('personalization_item_search')}?customer={self.account.customer_id}",
        }


def tiles(customer_id: str, found: Previewed) -> list[dict[str, Any]]:
    keys = {one.key for one in found.answer.items}
    rows = search.named(customer_id, keys) if keys else {}
    return [tile(one, rows) for one in found.answer.items]


def tile(one: Recommended, rows: dict[tuple[int, str], Any]) -> dict[str, Any]:
    row = rows.get(one.key)
    return {
        "key": f"{one.key[0]}/{one.key[1]}",
        "title": search.name_of(row) if row else "",
        "image": row.image if row else "",
        "model": one.model.identifier,
        "because": ", ".join(f"{seed.key[0]}/{seed.key[1]}" for seed in one.seeds[:3]),
    }


def seeds(customer_id: str, context: list[Seed]) -> list[dict[str, str]]:
    """What the models started from."""
    shown = context[:SEEDS_SHOWN]
    rows = search.named(customer_id, {seed.key for seed in shown}) if shown else {}
    return [
        {
            "key": f"{seed.key[0]}/{seed.key[1]}",
            "title": search.name_of(rows[seed.key]) if seed.key in rows else "",
            "source": seed.source,
        }
        for seed in shown
    ]


def levels(found: Previewed) -> Iterator[dict[str, Any]]:
    """Each level with its models; one without any was not asked, for there were enough items."""
    for number, models in enumerate(found.levels):
        yield {"label": LEVELS[number], "models": [told(one, found) for one in models]}


def told(one: Explained, found: Previewed) -> dict[str, Any]:
    used = sum(item.model.identifier == one.model for item in found.answer.items)
    out = [f"{TAKEN_OUT.get(name, name)} ({count})" for name, count in one.tally.most_common()]
    return {
        "model": one.model,
        "used": used,
        "lacked": LACKED.get(one.lacked, one.lacked),
        "found": one.found,
        "taken_out": ", ".join(out),
    }

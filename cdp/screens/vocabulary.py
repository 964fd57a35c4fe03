"""What the Audience Builder offers: events, attributes, operators, with their words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp.audiences.conditions import properties
from cdp.audiences.models import Audience
from cdp.profiles import vocabulary as profiles
from cdp.profiles.models import Account


def vocabulary(account: Account, *, but: str = "") -> dict[str, Any]:
    """``but``: the identifier of an audience that cannot be asked for, itself."""
    audiences = Audience.objects.filter(account=account, archived_at=None).exclude(identifier=but)
    return {
        "events": {name: EVENTS.get(name, name) for name in profiles.EVENTS},
        "attributes": profiles.attributes(account),
        "audiences": dict(audiences.order_by("name").values_list("identifier", "name")),
        "properties": sorted(properties.PROPERTIES),
        "operators": said(OPERATORS),
        "fitting": {kind: sorted(names) for kind, names in properties.FITTING.items()},
        "of_property": {
            name: sorted(properties.OPERATORS[kind]) for name, kind in properties.PROPERTIES.items()
        },
        "words": said(WORDS),
    }


def said(words: Mapping[str, Promise | str]) -> dict[str, str]:
    """The words in the reader's language."""
    return {name: str(label) for name, label in words.items()}


EVENTS = {"visit": "visit", "basket": "add to basket", "buy": "buy", "itemclick": "item click"}


OPERATORS = {
    "eq": _("is"),
    "ne": _("is not"),
    "gt": _("is more than"),
    "gte": _("is at least"),
    "lt": _("is less than"),
    "lte": _("is at most"),
    "between": _("is between"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "contains": _("contains"),
    "not_contains": _("does not contain"),
    "starts_with": _("begins with"),
    "ends_with": _("ends with"),
    "regex": _("matches the pattern"),
    "is_empty": _("is empty"),
    "is_not_empty": _("is not empty"),
    "is_true": _("is true"),
    "is_false": _("is false"),
    "before": _("is before"),
    "after": _("is after"),
    "in_last": _("is in the last"),
    "in_next": _("is in the next"),
    "anniversary_in_next": _("has its anniversary in the next days"),
    "has_any": _("has any of"),
    "has_all": _("has all of"),
    "has_none": _("has none of"),
}


# What the script writes on the page.
WORDS = {
    "did": _("did"),
    "did_not": _("did not"),
    "have": _("have"),
    "audience": _("are in the audience"),
    "not_audience": _("are not in the audience"),
    "group": _("group of conditions"),
    "and": _("all of these"),
    "or": _("any of these"),
    "not": _("not"),
    "add": _("Add condition"),
    "add_group": _("Add group"),
    "remove": _("Remove"),
    "condition": _("Condition"),
    "event": _("Event"),
    "times": _("times"),
    "count_by": _("counting"),
    "events": _("events"),
    "order_id": _("orders"),
    "product_id": _("products"),
    "session": _("sessions"),
    "day": _("days"),
    "gte": _("at least"),
    "lte": _("at most"),
    "eq": _("exactly"),
    "between": _("between"),
    "gt": _("more than"),
    "lt": _("less than"),
    "ever": _("ever"),
    "in_last": _("in the last"),
    "not_in_last": _("more than … ago"),
    "from_to": _("from … to"),
    "before": _("before"),
    "after": _("since"),
    "hour": _("hours"),
    "days": _("days"),
    "week": _("weeks"),
    "month": _("months"),
    "year": _("years"),
    "where": _("where"),
    "add_where": _("Add filter"),
    "property": _("Property"),
    "attribute": _("Attribute"),
    "sum": _("sum of"),
    "avg": _("average of"),
    "min": _("smallest"),
    "max": _("largest"),
    "count": _("number of events"),
    "distinct": _("number of different"),
    "first": pgettext_lazy("of events", "first"),
    "last": _("last"),
    "days_since_last": _("days since the last"),
    "top": _("top"),
    "category": _("category"),
    "brand": _("brand"),
    "product": _("product"),
    "operator": _("Operator"),
    "value": _("Value"),
    "and_value": _("and"),
    "people": _("people"),
    "of": _("of"),
    "counting": _("Counting…"),
    "such_as": _("such as"),
    "half_written": _("Fill in the value that is missing, and the size follows."),
    "away": _("The size cannot be asked for just now."),
    "list": _("separated by commas"),
    "case": _("as it is spelled"),
}

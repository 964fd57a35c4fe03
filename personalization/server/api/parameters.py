"""The query of a recommendation request, checked (engine-protocol.md 3.2). Unknown parameters are ignored."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from django.http import QueryDict

from config.customers.signing import DIGITS, PARAMETER
from personalization.contracts import DEFAULT_RECOMMENDATIONS, MAX_ITEM_TYPE, MAX_RECOMMENDATIONS
from personalization.server.api.answers import Refusal
from personalization.server.history import CODES
from personalization.server.items import ids
from personalization.server.plans import Plan
from personalization.server.recommend import Request

CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", re.ASCII)
YES, NO = {"true", "1"}, {"false", "0", ""}
MAX_CONTEXT_ITEMS = 100
MAX_ATTRIBUTES = 100
MAX_PATHS = 20
MAX_SEGMENTS, MAX_SUBMODELS, MAX_VALUES = 100, 20, 50
RANGE = "-range"
ATTRIBUTE = re.compile(r"[A-Za-z0-9_]{1,64}(?:-range)?", re.ASCII)
OWN_PARAMETERS = {
    *("numrecs", "contextitems", "itemid", "outputtypeid", "crosscontenttype", "attribute", "categorypath"),
    *("usecontextcategorypath", "recommendcategory", "usetimeslot", "userattribute", "segments"),
    *("jsonpcallback", "callback", "contenttype", "lang", "storeviewid", PARAMETER.lower()),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for the engine, and what only concerns the answer's form."""

    request: Request
    attributes: tuple[str, ...]
    callback: str  # of JSONP
    recommend_category: bool = False  # name the category of an item that lies in several
    signature: str = ""  # of the user, for the links of the answer


def asked(query: QueryDict, *, plan: Plan, customer_id: str, user: str, alphanumeric: bool) -> Asked:
    """Read the parameters. Raises :class:`Refusal` with a sentence that names parameter, rule and value."""
    if any("\\" in value for values in query.lists() for value in values[1]):
        raise Refusal(400, "A backslash is not allowed in parameters.")
    items, codes = context(query, alphanumeric=alphanumeric)
    request = Request(
        customer_id=customer_id,
        user=user,
        scenario=plan.identifier,
        count=whole(query, "numrecs", low=1, high=MAX_RECOMMENDATIONS, default=DEFAULT_RECOMMENDATIONS),
        context_ids=items,
        context_codes=codes,
        output_types=output_types(query, plan),
        all_types=flag(query, "crosscontenttype"),
        category_paths=category_paths(query),
        use_context_category=flag(query, "usecontextcategorypath"),
        language=query.get("lang", "")[:16],
        attributes=submodel_values(query),
        ranges=submodel_ranges(query),
        segments=segments(query),
        user_attributes=limited("userattribute", split(query.getlist("userattribute")), MAX_ATTRIBUTES),
        use_slot=flag(query, "usetimeslot"),
    )
    return Asked(
        request=request,
        attributes=limited("attribute", split(query.getlist("attribute")), MAX_ATTRIBUTES),
        callback=callback(query),
        recommend_category=flag(query, "recommendCategory"),
        signature=quote(query.get(PARAMETER, "")[:DIGITS], safe=""),
    )


def submodel_values(query: QueryDict) -> dict[str, tuple[str, ...]]:
    """Attributes by which submodels are chosen: every parameter that has no meaning of its own.

    Old clients write ``*color=red`` (3.2).
    """
    found: dict[str, tuple[str, ...]] = {}
    for raw in query:
        name = str(raw).removeprefix("*")
        if name.lower() not in OWN_PARAMETERS and ATTRIBUTE.fullmatch(name) and not name.endswith(RANGE):
            values = split(str(one) for one in query.getlist(str(raw)))
            if values and len(found) < MAX_SUBMODELS:
                found[name] = values[:MAX_VALUES]
    return found


def submodel_ranges(query: QueryDict) -> dict[str, tuple[float, float]]:
    """``width-range=10:30`` by attribute; an end that is left out is open."""
    found: dict[str, tuple[float, float]] = {}
    for raw in query:
        name = str(raw).removeprefix("*")
        if name.endswith(RANGE) and ATTRIBUTE.fullmatch(name.removesuffix(RANGE)):
            found[name.removesuffix(RANGE)] = bounds(name, query.get(str(raw), ""))
    return dict(list(found.items())[:MAX_SUBMODELS])


def bounds(name: str, value: str) -> tuple[float, float]:
    low, colon, high = value.partition(":")
    try:
        ends = float(low or "-inf"), float(high or "inf")
    except ValueError:
        ends = math.nan, math.nan
    if not colon or not ends[0] <= ends[1]:
        raise Refusal(
            400, f"{name} must be two numbers such as 10:30, the lower one first; got {value[:80]!r}."
        )
    return ends


def segments(query: QueryDict) -> tuple[int, ...]:
    """``segments=7,11,14``."""
    given = limited("segments", split(query.getlist("segments")), MAX_SEGMENTS)
    for one in given:
        if not (one.isascii() and one.isdigit() and len(one) <= 10 and 1 <= int(one) < 2**31):
            raise Refusal(400, f"segments must be ids of segments, such as 7,11; got {one[:80]!r}.")
    return tuple(map(int, given))


def split(values: Iterable[str]) -> tuple[str, ...]:
    """Repeated and comma separated values as one list, each once, in their order."""
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def limited(name: str, values: tuple[str, ...], most: int) -> tuple[str, ...]:
    if len(values) > most:
        raise Refusal(400, f"{name} may hold at most {most} values; got {len(values)}.")
    return values


def whole(query: QueryDict, name: str, *, low: int, high: int, default: int) -> int:
    raw = query.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 10 and low <= int(raw) <= high):
        raise Refusal(400, f"{name} must be a whole number from {low} to {high}; got {raw[:80]!r}.")
    return int(raw)


def flag(query: QueryDict, name: str) -> bool:
    word = query.get(name, "").lower()
    if word not in YES | NO:
        raise Refusal(400, f"{name} must be true or false; got {word[:80]!r}.")
    return word in YES


def context(query: QueryDict, *, alphanumeric: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Item ids and history codes of ``contextitems`` (or the deprecated ``itemid``)."""
    given = split(query.getlist("contextitems") or query.getlist("itemid"))
    limited("contextitems", given, MAX_CONTEXT_ITEMS)
    codes = tuple(one for one in given if one in CODES)
    try:
        found = [
            ids.checked(one, alphanumeric=alphanumeric, name="contextitems")
            for one in given
            if one not in CODES
        ]
    except ids.BadId as fault:
        raise Refusal(
            400, f"{fault}. Item ids and history codes ({', '.join(CODES)}) are separated by commas."
        ) from None
    return tuple(dict.fromkeys(found)), codes


def output_types(query: QueryDict, plan: Plan) -> tuple[int, ...]:
    """The one output type asked for, if any; it must be among the scenario's."""
    if "outputtypeid" not in query or flag(query, "crosscontenttype"):
        return ()
    wanted = whole(query, "outputtypeid", low=1, high=MAX_ITEM_TYPE, default=0)
    if plan.output_types and wanted not in plan.output_types:
        known = ", ".join(map(str, plan.output_types))
        raise Refusal(400, f"outputtypeid must be an output type of the scenario ({known}); got {wanted}.")
    return (wanted,)


def category_paths(query: QueryDict) -> tuple[str, ...]:
    """The paths without surrounding slashes; "" stands for the whole site."""
    given = limited("categorypath", tuple(query.getlist("categorypath")), MAX_PATHS)
    if any(len(path) > 1024 for path in given):
        raise Refusal(400, "categorypath may be at most 1024 characters long.")
    return tuple("/".join(part for part in path.split("/") if part) for path in given)


def callback(query: QueryDict) -> str:
    """The JSONP callback; its parameter's name is read in any case."""
    given = next((value for name, value in query.items() if name.lower() == "jsonpcallback"), "jsonpCallback")
    if not isinstance(given, str) or len(given) > 200 or not CALLBACK.fullmatch(given):
        raise Refusal(
            400,
            f"jsonpCallback must name a function, such as show or page.show; got {str(given)[:80]!r}.",
        )
    return given

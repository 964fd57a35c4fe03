"""Transformations of columns: a registry of small functions (reference `cdp.md` 2.2 stage 4).

Each takes the values of its inputs and gives one value; null in is null out, unless the function is about
nulls. What a value does not allow is a :class:`~cdp.dataflows.values.BadValue`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext, gettext_noop

from cdp.dataflows.patterns import LONGEST_TEXT as LONGEST_TEXT_OF_PATTERN
from cdp.dataflows.patterns import BadPattern, safe_pattern
from cdp.dataflows.values import BadValue, Reading, is_empty, read_as, to_string

Params = Mapping[str, Any]
Apply = Callable[[Sequence[Any], Params, Reading], Any]
LONGEST_TEXT = 10_000


@dataclass(frozen=True, kw_only=True)
class Param:
    kind: type = str
    required: bool = True
    default: Any = None

    @property
    def is_map(self) -> bool:
        return self.kind is dict


@dataclass(frozen=True, kw_only=True)
class Function:
    """``gives``: the type of what comes out, "same" for that of the first input."""

    name: str
    kind: str  # transform, convert, combine
    apply: Apply
    gives: str = "string"
    params: Mapping[str, Param] = field(default_factory=dict)
    several: bool = False  # takes more than one input
    takes_null: bool = False


class BadTransformation(ValueError):
    """The parameters of a transformation are wrong; the message is a sentence."""


FUNCTIONS: dict[str, Function] = {}


def function(name: str, kind: str, **options: Any) -> Callable[[Apply], Apply]:
    def register(apply: Apply) -> Apply:
        FUNCTIONS[name] = Function(name=name, kind=kind, apply=apply, **options)
        return apply

    return register


def text(value: Any) -> str:
    return to_string(value)[:LONGEST_TEXT]


def check(name: str, inputs: Sequence[str], params: Params) -> Function:
    """The function, if it can be called so. Raises :class:`BadTransformation`."""
    found = FUNCTIONS.get(name)
    if found is None:
        raise BadTransformation(
            gettext("There is no transformation %(name)r; there are %(known)s.")
            % {"name": name[:40], "known": ", ".join(FUNCTIONS)}
        )
    if len(inputs) > 1 and not found.several:
        raise BadTransformation(
            gettext("%(name)s takes one column; got %(count)s.") % {"name": name, "count": len(inputs)}
        )
    if unknown := sorted(set(params) - set(found.params)):
        raise BadTransformation(
            gettext("%(name)s has no parameter %(key)r.") % {"name": name, "key": unknown[0][:40]}
        )
    for key, wanted in found.params.items():
        value = params.get(key)
        if value is None:
            if wanted.required:
                raise BadTransformation(gettext("%(name)s needs %(key)s.") % {"name": name, "key": key})
        elif not isinstance(value, wanted.kind) or isinstance(value, bool) is not (wanted.kind is bool):
            raise BadTransformation(
                gettext("%(key)s of %(name)s must be a %(type)s; got %(value).40r.")
                % {"key": key, "name": name, "type": wanted.kind.__name__, "value": value}
            )
    check_special(found, params)
    return found


def check_special(found: Function, params: Params) -> None:
    try:
        if "pattern" in params and found.name == "regex_extract":
            safe_pattern(str(params["pattern"]))
        if params.get("zone"):
            ZoneInfo(str(params["zone"]))
    except BadPattern as fault:
        raise BadTransformation(f"The pattern of {found.name} {fault}.") from None
    except (ZoneInfoNotFoundError, ValueError):
        raise BadTransformation(
            gettext("There is no time zone %(zone).40r.") % {"zone": params["zone"]}
        ) from None


def call(name: str, values: Sequence[Any], params: Params, reading: Reading) -> Any:
    """Raises :class:`BadValue`."""
    found = FUNCTIONS[name]
    if not found.takes_null and all(value is None for value in values):
        return None
    given = {key: params.get(key, wanted.default) for key, wanted in found.params.items()}
    return found.apply(values, given, reading)


@function("trim", "transform")
def trim(values: Sequence[Any], _params: Params, _reading: Reading) -> Any:
    return text(values[0]).strip()


@function("lower", "transform")
def lower(values: Sequence[Any], _params: Params, _reading: Reading) -> Any:
    return text(values[0]).lower()


@function("upper", "transform")
def upper(values: Sequence[Any], _params: Params, _reading: Reading) -> Any:
    return text(values[0]).upper()


@function("replace", "transform", params={"find": Param(), "by": Param(required=False, default="")})
def replace(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    return text(values[0]).replace(params["find"], params["by"])


@function(
    "regex_extract",
    "transform",
    params={"pattern": Param(), "group": Param(kind=int, required=False, default=0)},
)
def regex_extract(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    found = re.search(params["pattern"], text(values[0])[:LONGEST_TEXT_OF_PATTERN])
    if found is None:
        return None
    if not 0 <= params["group"] <= len(found.groups()):
        raise BadValue(gettext_noop("without such a group"))
    return found.group(params["group"])


@function(
    "substring", "transform", params={"start": Param(kind=int), "length": Param(kind=int, required=False)}
)
def substring(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    """``start`` counts from 0."""
    start, length = max(params["start"], 0), params["length"]
    return text(values[0])[start : None if length is None else start + max(length, 0)]


@function("default", "transform", gives="same", params={"value": Param()}, takes_null=True)
def default(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    return params["value"] if is_empty(values[0]) else values[0]


@function("value_map", "transform", params={"map": Param(kind=dict), "otherwise": Param(required=False)})
def value_map(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    """What the map does not name becomes ``otherwise``, or stays if that is not given."""
    key = text(values[0])
    found = params["map"].get(key, key if params["otherwise"] is None else params["otherwise"])
    return text(found)


@function("prefix", "transform", params={"text": Param()})
def prefix(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    return params["text"] + text(values[0])


@function("suffix", "transform", params={"text": Param()})
def suffix(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    return text(values[0]) + params["text"]


@function("sha256", "transform")
def digest(values: Sequence[Any], _params: Params, _reading: Reading) -> Any:
    return sha256(text(values[0]).encode()).hexdigest()


def converter(kind: str) -> None:
    @function(f"to_{kind}", "convert", gives=kind)
    def convert(values: Sequence[Any], _params: Params, reading: Reading) -> Any:
        return read_as(values[0], kind, reading)


for _kind in ("integer", "decimal", "boolean", "string"):
    converter(_kind)


@function("to_date", "convert", gives="date", params={"format": Param(required=False)})
def to_date(values: Sequence[Any], params: Params, reading: Reading) -> Any:
    return read_as(values[0], "date", formatted(params, reading))


@function(
    "to_datetime",
    "convert",
    gives="datetime",
    params={"format": Param(required=False), "zone": Param(required=False)},
)
def to_datetime(values: Sequence[Any], params: Params, reading: Reading) -> Any:
    zone = ZoneInfo(params["zone"]) if params["zone"] else reading.zone
    found = formatted(params, reading)
    return read_as(
        values[0], "datetime", Reading(zone=zone, decimal=found.decimal, date_formats=found.date_formats)
    )


def formatted(params: Params, reading: Reading) -> Reading:
    if not params["format"]:
        return reading
    try:
        datetime(2000, 1, 1).strftime(params["format"])  # noqa: DTZ001 - only the pattern is tried
    except ValueError:
        raise BadValue(gettext_noop("not readable with this format")) from None
    return Reading(zone=reading.zone, decimal=reading.decimal, date_formats=(params["format"],))


@function("concat", "combine", params={"separator": Param(required=False, default="")}, several=True)
def concat(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    return params["separator"].join(text(value) for value in values if value is not None)


@function("coalesce", "combine", gives="same", several=True, takes_null=True)
def coalesce(values: Sequence[Any], _params: Params, _reading: Reading) -> Any:
    return next((value for value in values if not is_empty(value)), None)


@function("split", "combine", params={"separator": Param(), "index": Param(kind=int)})
def split(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    """One part, counted from 0; from the end with negative numbers. None where there is no such part."""
    if not params["separator"]:
        raise BadValue(gettext_noop("not to be split by nothing"))
    parts = [part.strip() for part in text(values[0]).split(params["separator"])]
    return parts[params["index"]] if -len(parts) <= params["index"] < len(parts) else None


@function("to_array", "combine", gives="array", params={"separator": Param()})
def to_array(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    if isinstance(values[0], list):
        return values[0]
    if not params["separator"]:
        raise BadValue(gettext_noop("not to be split by nothing"))
    return [part.strip() for part in text(values[0]).split(params["separator"]) if part.strip()]


@function("json_path", "combine", params={"path": Param()})
def json_path(values: Sequence[Any], params: Params, _reading: Reading) -> Any:
    """``a.b.0``: keys of objects and places of lists; a text, or None where there is nothing."""
    found = values[0]
    for key in filter(None, params["path"].split(".")):
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return None if found is None else text(found)

"""The public event grammar (identify, track, page, screen, group, alias) -> calls (reference `cdp.md` 6.2).

identify and group say attributes; track is an event, by the map of names below or as ``custom`` with its name
as a property; page and screen are page views; alias says that two ids are of one person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from cdp.tracking import message, people, sent, times, vocabulary
from cdp.tracking.message import Call
from cdp.tracking.sent import scalar
from tracking.collector import path
from tracking.fields import BadEvent, shown

CALLS = ("identify", "track", "page", "screen", "group", "alias")
# Names of the public e-commerce grammar, compared without case.
NAMES = {
    "product viewed": "visit",
    "product clicked": "itemclick",
    "product added": "basket",
    "product added to wishlist": "favorite",
    "products searched": "search",
    "order completed": "buy",
}
# A property -> the parameter that it is.
PROPERTIES = {
    "product_id": "p2",
    "name": "p3",
    "subtotal": "p5",
    "brand": "p8",
    "price": "p12",
    "quantity": "p13",
    "order_id": "p21",
    "currency": "currency",
    "itemtype": "itemtype",
    "scenario": "scenario",
    "lang": "lang",
}
PARAMETERS = frozenset({*vocabulary.PARAMETERS, *PROPERTIES.values()})
ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
MOST_TRAITS = 100
LONGEST_TEXT = 1_000
BIGGEST_NUMBER = 10**15


def calls_of(name: str, document: Mapping[str, Any], *, now: int) -> list[Call]:
    """The calls behind one document: several for an order of several lines. Raises :class:`BadEvent`."""
    if name not in CALLS:
        raise BadEvent(400, f"type must be one of {', '.join(CALLS)}; got {shown(name)}")
    who = sender(document, now=now)
    if name == "alias":
        return [alias(document, who)]
    if not who["coid"] and not who["ruid"]:
        raise BadEvent(400, "userId or anonymousId must be given")
    if name in ("identify", "group"):
        return [Call(kind=message.IDENTIFY, traits=traits(name, document), **who)]
    events = tracked(document) if name == "track" else iter([("pageview", viewed(name, document))])
    return numbered([(event, params | place(document)) for event, params in events], who)


def sender(document: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """What every call has."""
    given = {
        name: scalar(name, document.get(name)) for name in ("anonymousId", "userId", "messageId", "timestamp")
    }
    return {
        "coid": people.device("anonymousId", given["anonymousId"]),
        "ruid": people.person("userId", given["userId"]),
        "event_id": sent.event_id(message_id(given["messageId"])),
        "ts": times.moment("timestamp", given["timestamp"], now=now),
    }


def message_id(given: str) -> str:
    """Libraries make ids that are longer than ours may be, equal for equal ones."""
    return sha256(given.encode()).hexdigest()[:32] if len(given) > sent.LONGEST_SESSION else given


def alias(document: Mapping[str, Any], who: dict[str, Any]) -> Call:
    """``previousId`` is the same person as ``userId``."""
    before = people.device("previousId", scalar("previousId", document.get("previousId")))
    if not before or not who["ruid"]:
        raise BadEvent(400, "previousId and userId must be given for alias")
    return Call(kind=message.ALIAS, **(who | {"coid": before}))


def tracked(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and parameters of each event; one for every line of an order."""
    name = scalar("event", document.get("event"))
    if not name:
        raise BadEvent(400, "event must be given for track")
    event = name if name in vocabulary.KNOWN else NAMES.get(name.lower(), vocabulary.CUSTOM)
    properties = mapping("properties", document)
    params = parameters(properties)
    if event == vocabulary.CUSTOM:
        params["name"] = name
    lines = properties.get("products")
    if event == "buy" and isinstance(lines, list) and lines:
        order = {name: params[name] for name in ("p21", "currency", "lang") if name in params}
        yield from (("buy", order | parameters(line_of(line))) for line in lines)
    else:
        yield event, params


def line_of(line: object) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise BadEvent(400, "products must be a list of objects")
    return line


def viewed(name: str, document: Mapping[str, Any]) -> dict[str, str]:
    title = scalar("name", document.get("name"))
    return parameters(mapping("properties", document)) | ({name: title} if title else {})


def place(document: Mapping[str, Any]) -> dict[str, str]:
    page = mapping("page", mapping("context", document))
    return sent.places({name: scalar(name, page.get(name)) for name in ("url", "referrer")})


def parameters(properties: Mapping[str, Any]) -> dict[str, str]:
    """Those that are parameters under their names, texts and numbers as properties; nothing deeper."""
    path.refuse_many(len(properties))
    found = {}
    for name, value in properties.items():
        if value is None or isinstance(value, list | dict):
            continue
        parameter = PROPERTIES.get(name, name)
        text = scalar(name, value)
        found[parameter] = text if parameter in PARAMETERS else text[: vocabulary.LONGEST]
    return found


def mapping(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    found = document.get(name)
    if found is not None and not isinstance(found, dict):
        raise BadEvent(400, f"{name} must be an object")
    return found or {}


def numbered(events: list[tuple[str, dict[str, str]]], who: dict[str, Any]) -> list[Call]:
    """Each with an id of its own that is the same when the document is sent again."""
    first = who["event_id"]
    return [
        Call(
            kind=message.EVENT,
            event=event,
            params=params,
            **(who | {"event_id": first if not place else message_id(f"{first}-{place}")}),
        )
        for place, (event, params) in enumerate(events)
    ]


def consent_of(document: Mapping[str, Any]) -> str:
    """ "1", "0" or "" (nothing is said): ``consent`` of the call or of its context."""
    said = document.get("consent", mapping("context", document).get("consent"))
    if isinstance(said, dict):
        preferences = said.get("categoryPreferences")
        return "1" if isinstance(preferences, dict) and any(preferences.values()) else "0"
    return {"1": "1", "True": "1", "0": "0", "False": "0"}.get(str(said), "")


def traits(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with their values; None clears one. Those of a group begin with ``group_``."""
    prefix = "group_" if name == "group" else ""
    given = mapping("traits", document)
    found = dict(flat(given, prefix=prefix))
    if name == "group":
        group = scalar("groupId", document.get("groupId"))
        if not group:
            raise BadEvent(400, "groupId must be given for group")
        found["group_id"] = group
    if len(found) > MOST_TRAITS:
        raise BadEvent(400, f"a person has at most {MOST_TRAITS} traits; got {len(found)}")
    return found


def flat(given: Mapping[str, Any], *, prefix: str) -> Iterator[tuple[str, Any]]:
    """``address: {city: ...}`` is ``address_city``."""
    for name, value in given.items():
        attribute = prefix + name
        if isinstance(value, dict) and prefix.count("_") < 3:
            yield from flat(value, prefix=f"{attribute}_")
            continue
        if not ATTRIBUTE.match(attribute):
            raise BadEvent(
                400,
                f"a trait's name must be 1 to 64 letters, digits and underscores; got {shown(attribute)}",
            )
        yield attribute, value_of(attribute, value)


def value_of(name: str, value: Any) -> Any:
    """As profiles keep it: texts, numbers, booleans and lists of texts."""
    if isinstance(value, list):
        return [value_of(name, str(one)) for one in value[:MOST_TRAITS]]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise BadEvent(400, f"{name} must be at most {LONGEST_TEXT} characters; got {len(value)}")
    if isinstance(value, int | float) and abs(value) > BIGGEST_NUMBER:
        raise BadEvent(400, f"{name} must be between -{BIGGEST_NUMBER} and {BIGGEST_NUMBER}; got {value}")
    if value is None or isinstance(value, str | bool | int):
        return value.replace("\0", "") if isinstance(value, str) else value
    if isinstance(value, float):
        return round(value, 4)
    raise BadEvent(400, f"{name} must be a text, a number, true or false, or a list of texts")

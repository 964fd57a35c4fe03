"""What an event consists of, as JSON Schema: the parts of its address, its parameters, a batch's event."""

from __future__ import annotations

from typing import Any

from tracking.collector import batch
from tracking.events import MOST_RENDERED, RULES, Rule, Shape
from tracking.fields import BIGGEST_ID, LONGEST_ITEM_ID, LONGEST_USER_BYTES, PRINTABLE
from tracking.parameters import COMMON, Parameter

Schema = dict[str, Any]
BODIES = ("application/x-www-form-urlencoded", "application/json")
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": BIGGEST_ID}
USER: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_USER_BYTES,
    "pattern": r"^[^\\\u0000]*$",
}
ITEM: Schema = {
    "anyOf": [
        NUMBER,
        {"type": "string", "minLength": 1, "maxLength": LONGEST_ITEM_ID, "pattern": PRINTABLE},
    ]
}
ITEMS: Schema = {"type": "array", "items": ITEM, "minItems": 1, "maxItems": MOST_RENDERED}
OF_USER = (
    f"id of the visitor or account, at most {LONGEST_USER_BYTES} bytes of UTF-8; not_defined links the event "
    "to nobody"
)
OF_ITEM = "id of the item; a text only for customers with alphanumeric items"
OF_ITEMS = f"ids of the items, joined by commas, at most {MOST_RENDERED}"


def subject(shape: Shape) -> list[tuple[str, str, Schema]]:
    """Name, description and schema of what follows the code in an address."""
    user = ("userid", OF_USER, USER)
    item_type = ("itemtypeid", "number of the item type", NUMBER)
    match shape:
        case Shape.USER:
            return [user]
        case Shape.LOGIN:
            source = ("sourceuserid", "id under which the visitor was known so far", USER)
            return [
                source,
                ("targetuserid", "id under which the visitor is known from now on; another one", USER),
            ]
        case Shape.ITEMS:
            return [user, item_type, ("itemids", OF_ITEMS, ITEMS)]
        case Shape.ITEM:
            return [user, item_type, ("itemid", OF_ITEM, ITEM)]


def shared_parameters() -> dict[str, Schema]:
    """Parts of addresses, and the parameters that every event has, by name."""
    return path_parameters() | {parameter.name: in_address(parameter) for parameter in COMMON}


def path_parameters() -> dict[str, Schema]:
    """Every part of an address under its name."""
    customer = {"type": "string", "minLength": 1, "maxLength": 64, "examples": ["10101"]}
    parts = [("customerid", "the customer whose event it is", customer)]
    parts += [part for shape in Shape for part in subject(shape)]
    return {
        name: {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
        for name, description, schema in parts
    }


def schema_of(parameter: Parameter) -> Schema:
    return {**parameter.kind.schema, "examples": [example_of(parameter)]} | (
        {"x-unit": parameter.unit} if parameter.unit else {}
    )


def example_of(parameter: Parameter) -> int | str:
    is_number = parameter.kind.schema["type"] == "integer"
    return int(parameter.example) if is_number else parameter.example


def described(parameter: Parameter) -> str:
    """The rule in words, with its unit and other spellings of the name."""
    text = parameter.rule + (f" ({parameter.unit})" if parameter.unit else "")
    return text + "".join(f"; also spelled {alias}" for alias in parameter.aliases)


def query(rule: Rule) -> list[Schema]:
    """The parameters of an event as they stand in an address."""
    everywhere = [{"$ref": f"#/components/parameters/{parameter.name}"} for parameter in COMMON]
    return [*map(in_address, rule.parameters), *everywhere]


def in_address(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": described(parameter),
        "schema": schema_of(parameter),
    }


def properties(rule: Rule) -> dict[str, Schema]:
    """The parameters of an event as members of a JSON object; numbers may be texts, too."""
    everywhere = {parameter.name: {"$ref": f"#/components/schemas/{parameter.name}"} for parameter in COMMON}
    return {parameter.name: member(parameter) for parameter in rule.parameters} | everywhere


def member(parameter: Parameter) -> Schema:
    return {**schema_of(parameter), "description": described(parameter)}


def body_name(rule: Rule) -> str:
    return f"{rule.code}.parameters"


def event_name(rule: Rule) -> str:
    return f"{rule.code}.event"


def components() -> dict[str, Schema]:
    """Every named schema."""
    found: dict[str, Schema] = {"Error": ERROR, "BatchAnswer": BATCH_ANSWER, "Event": event()}
    events = {"type": "array", "items": {"$ref": "#/components/schemas/Event"}, "minItems": 1}
    events["maxItems"] = batch.MOST_EVENTS
    wrapped = {"type": "object", "required": ["events"], "properties": {"events": events}}
    found |= {parameter.name: member(parameter) for parameter in COMMON}
    found["Batch"] = {"oneOf": [events, wrapped]}
    for rule in RULES.values():
        required = [parameter.name for parameter in rule.required]
        found[body_name(rule)] = {"type": "object", "properties": properties(rule), "required": required}
        found[event_name(rule)] = event_of(rule)
    return found


def event() -> Schema:
    """One event of a batch, whichever it is."""
    places = {rule.code: f"#/components/schemas/{event_name(rule)}" for rule in RULES.values()}
    mapping = {code: places[rule.code] for rule in RULES.values() for code in (rule.code, *rule.aliases)}
    return {
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": "event", "mapping": mapping},
    }


# Part of an address -> member of an event in a batch.
MEMBERS = {
    "userid": "user",
    "sourceuserid": "source",
    "targetuserid": "user",
    "itemtypeid": "itemtype",
    "itemid": "item",
    "itemids": "item",
}


def event_of(rule: Rule) -> Schema:
    about = {MEMBERS[name]: {**schema, "description": text} for name, text, schema in subject(rule.shape)}
    if rule.shape is Shape.ITEMS:
        about["item"] = {
            "anyOf": [ITEM, ITEMS],
            "description": f"an id, or a list of at most {MOST_RENDERED}",
        }
    code = {"type": "string", "enum": [rule.code, *rule.aliases]}
    return {
        "type": "object",
        "description": rule.meaning,
        "properties": {"event": code, **about, **properties(rule)},
        "required": ["event", *about, *(parameter.name for parameter in rule.required)],
    }


ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string", "examples": ["bad_request"]},
                "message": {"type": "string", "examples": ['rating must be 0 to 100; got "101"']},
                "fields": {"type": "object"},
            },
        }
    },
}
BATCH_ANSWER: Schema = {
    "type": "object",
    "required": ["accepted", "rejected", "results"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0},
        "rejected": {"type": "integer", "minimum": 0},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "status"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0, "description": "place in the request, from 0"},
                    "status": {"type": "integer", "description": "204 if accepted, else as for one event"},
                    "message": {"type": "string", "description": "why it was refused"},
                },
            },
        },
    },
}

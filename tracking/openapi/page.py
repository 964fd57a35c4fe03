"""`docs/events.md`, from the same rules as the document."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from tracking.collector import batch
from tracking.collector.path import PREFIXES
from tracking.events import NOT_DEFINED, RULES, Rule, Shape
from tracking.openapi import responses, schemas
from tracking.parameters import COMMON, Parameter

EXAMPLES = {Shape.ITEM: "u1/40/12", Shape.ITEMS: "u1/40/12,13", Shape.LOGIN: "u1/anna", Shape.USER: "u1"}
INTRODUCTION = """# Events of the tracking API

Written by `manage.py openapi tracking --format markdown` from the rules that judge the events. The same as
OpenAPI 3.1: `/api/schema/tracking.json`, or `manage.py openapi tracking`.
"""


def page() -> str:
    """The page in Markdown; ends with a line break."""
    sections = [INTRODUCTION.rstrip(), *events(), *parameters(), *answered()]
    return "\n".join(sections) + "\n"


def events() -> Iterator[str]:
    older = ", ".join(f"`{prefix.decode()}`" for prefix in sorted(PREFIXES - {b"api"}))
    yield "\n## Events\n"
    yield (
        "`GET` or `POST /api/{customerid}/<event>/<path>?<parameters>`. In the place of `api` the older "
        f"prefixes {older} work.\nThe user `{NOT_DEFINED}` links an event to nobody.\n"
    )
    yield table("Event", "Meaning", "Path after the code", "Parameters", "Example")
    for rule in RULES.values():
        names = ", ".join(f"`{p.name}`" + " (required)" * p.required for p in rule.parameters) or "none"
        other = "".join(f"; another name is `{alias}`" for alias in rule.aliases)
        yield row(
            f"`{rule.code}`", rule.meaning + other, f"`{rule.shape.value}`", names, f"`{example(rule)}`"
        )
    yield (
        f"\nUp to {batch.MOST_EVENTS} events go in one request to "
        f"`POST /api/{{customerid}}/{batch.CODE.decode()}`, see [Events and endpoints](endpoints.md#batches)."
    )


def example(rule: Rule) -> str:
    """An address that is accepted: every parameter that must be there, or else the first one."""
    sent = rule.required or rule.parameters[:1]
    query = "&".join(f"{p.name}={quote(p.example, safe='/:,')}" for p in sent)
    return f"/api/10101/{rule.code}/{EXAMPLES[rule.shape]}" + (f"?{query}" if query else "")


def parameters() -> Iterator[str]:
    yield "\n## Parameters\n"
    yield table("Parameter", "Events", "Rule", "Unit", "Bounds", "Example")
    for parameter, codes in users().items():
        yield described(parameter, ", ".join(f"`{code}`" for code in codes))
    for parameter in COMMON:
        yield described(parameter, "all")
    yield "\nUnknown parameters are ignored, repeated ones are refused. Numbers are ASCII digits."


def users() -> dict[Parameter, list[str]]:
    """Parameter -> the events that have it."""
    found: dict[Parameter, list[str]] = {}
    for rule in RULES.values():
        for parameter in rule.parameters:
            found.setdefault(parameter, []).append(rule.code)
    return found


def described(parameter: Parameter, of: str) -> str:
    name = ", ".join(f"`{name}`" for name in (parameter.name, *parameter.aliases))
    required = " (required)" if parameter.required else ""
    bounds = bounds_of(parameter).replace("|", "\\|")
    return row(name + required, of, parameter.rule, parameter.unit, bounds, f"`{parameter.example}`")


def bounds_of(parameter: Parameter) -> str:
    if parameter.kind.bounds:
        return parameter.kind.bounds
    schema = parameter.kind.schema
    if schema["type"] == "integer":
        return f"{schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"{schema.get('minLength', 0)} to {schema['maxLength']} printable characters"
    return f"`{schema['pattern']}`"


def answered() -> Iterator[str]:
    yield "\n## Parts of the path\n"
    yield table("Part", "Rule")
    for name, part in schemas.path_parameters().items():
        yield row(f"`{name}`", f"{part['description']}{range_of(part['schema'])}")
    yield "\n## Answers\n"
    yield table("Status", "When")
    yield row("204", responses.COMMITTED["204"])
    yield row("200", responses.COMMITTED["200"] + "; of a batch: " + responses.COMMITTED["200-batch"])
    for status, when in responses.REFUSED.items():
        yield row(str(status), when)
    yield (
        "\nThe body of a refusal is the sentence as text, or with `Accept: application/json` "
        '`{"error": {"code", "message", "fields"}}`.'
    )


def range_of(schema: schemas.Schema) -> str:
    number = next((one for one in (schema, *schema.get("anyOf", ())) if one.get("type") == "integer"), None)
    return f"; {number['minimum']} to {number['maximum']}" if number else ""


def table(*heads: str) -> str:
    return f"{row(*heads)}\n|{'---|' * len(heads)}"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

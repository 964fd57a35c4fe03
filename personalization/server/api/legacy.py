"""``GET /<solution>/<customer>/<user>/<scenario>.<json|jsonp|xml>``, the first version of the recommendation
API (engine-protocol.md 3.7), which plug-ins of old shops still speak."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from personalization.server.api.document import Shape
from personalization.server.api.recommendations import answered, as_script
from personalization.server.items.xml import content
from personalization.server.learning.base import Serves
from personalization.server.learning.registry import kind
from personalization.server.plans import PlannedModel
from personalization.server.recommend import Answer, Recommended

FORMATS = ("json", "jsonp", "xml")
CODES = {
    "co_occurrence": "CF_I2I_{signal}",
    "co_purchase": "CF_I2I_BUY",
    "similar_rated": "CF_I2I_RATE",
    "ultimately_bought": "CF_I2I_MIX_CLICK_BUY",
    "followed": "CF_I2I_MIX_CLICK_{signal}",
    "bundle": "CF_I2I_MIX_BUY_BUY",
    "stereotype": "STEREOTYPES_CF_{signal}",
    "content_based": "CB",
    "full_text": "CBFT",
    "recently_added": "RANDOM",
    "editorial_list": "EDITOR_BASED",
    "history": "PROFILE",
}


def recommendations(
    request: HttpRequest, customer_id: str, user: str, scenario: str, extension: str
) -> HttpResponse:
    """Items with a reason each, without links and attributes; statuses and caching as today's version."""
    return answered(request, customer_id, user, scenario, extension, formats=FORMATS, write=written)


def written(answer: Answer, shape: Shape, extension: str) -> HttpResponse:
    count = len(answer.items)
    rows = [listed(one, shape, relevance=count - place) for place, one in enumerate(answer.items)]
    if extension == "xml":
        return HttpResponse(as_xml(rows), content_type="application/xml; charset=utf-8")
    raw = orjson.dumps({"recommendationResponseList": rows})
    if extension == "jsonp":
        return as_script(raw, shape.callback)
    return HttpResponse(raw, content_type="application/json")


def listed(one: Recommended, shape: Shape, *, relevance: int) -> dict[str, Any]:
    row = {
        "reason": reason(one),
        "itemType": one.key[0],
        "itemId": shape.identifier(one.key[1]),
        "relevance": relevance,
    }
    category = shape.category_of(one.key) if shape.recommend_category else ""
    return row | ({"category": category} if category else {})


def reason(one: Recommended) -> str:
    """``CF_I2I_CLICK (context: ITEM(s))``."""
    context = "NONE" if not one.seeds else "ITEM(s)" if one.seeds[0].source == "REQUEST" else "PROFILE"
    return f"{code_of(one.model)} (context: {context})"


def code_of(model: PlannedModel) -> str:
    """The old code of a kind of model; new kinds keep their name."""
    if kind(model.kind).serves is Serves.RANKING and model.kind == "popularity":
        length = "SHORT" if model.parameters["half_life_days"] > 0 else "LONG"
        return f"POPULARITY_{length}_{model.signal.upper()}"
    return CODES.get(model.kind, model.kind.upper()).format(signal=model.signal.upper())


def as_xml(rows: list[dict[str, Any]]) -> str:
    names = ("itemId", "reason", "relevance", "itemType", "category")
    parts = (
        "".join(f"<{name}>{content(str(row[name]))}</{name}>" for name in names if name in row)
        for row in rows
    )
    inner = "".join(f"<recommendation>{part}</recommendation>" for part in parts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<list>{inner}</list>\n'

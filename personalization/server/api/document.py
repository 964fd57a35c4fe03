"""The answer's JSON document, in the shape and key order of seed `enable_personalization.md`."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit
from uuid import uuid1

from config import http
from config.customers.signing import PARAMETER
from personalization.contracts import (
    AttributeDocument,
    ContextItemDocument,
    LinksDocument,
    OriginDocument,
    RecommendationAnswer,
    RecommendationItemDocument,
    event_path,
)
from personalization.server.api.parameters import Asked
from personalization.server.candidates import Seed
from personalization.server.catalogues import catalogues
from personalization.server.items import ids
from personalization.server.items.revisions import Key
from personalization.server.items.shown import Shown
from personalization.server.recommend import Answer, Recommended
from personalization.server.sites import sites_of
from tracking import viewers

MAX_ORIGINS = 3
MAX_CONTEXT_SHOWN = 10


def document(answer: Answer, shape: Shape) -> RecommendationAnswer:
    """Build the document. One request id for all links of one answer."""
    count = len(answer.items)
    return {
        "contextItems": shape.context_items(answer.context[:MAX_CONTEXT_SHOWN]),
        "recommendationItems": [
            # Rank-based, for scores of different models cannot be compared (6.2).
            shape.item(one, relevance=count - place)
            for place, one in enumerate(answer.items)
        ],
    }


class Shape:
    """What all items of one answer share."""

    def __init__(self, given: Asked, *, alphanumeric: bool) -> None:
        self.request = given.request
        self.attributes = given.attributes
        self.recommend_category = given.recommend_category
        self.alphanumeric = alphanumeric
        self.callback = given.callback
        self.uuid = str(uuid1())
        self.host = event_host(given.request.customer_id)
        self.scenario = quote(given.request.scenario, safe="")
        self.signature = f"&{PARAMETER}={given.signature}" if given.signature else ""
        self.category = quote("/".join(given.request.category_paths[:1]), safe="/")

    def identifier(self, item_id: str) -> int | str:
        """Ids are JSON numbers, except where the customer has alphanumeric ones."""
        return item_id if self.alphanumeric else ids.number_or_text(item_id)

    def context_items(self, seeds: list[Seed]) -> list[ContextItemDocument]:
        looking = viewers.count(self.request.customer_id, [seed.key for seed in seeds])
        return [
            {
                "itemId": self.identifier(seed.key[1]),
                "itemType": seed.key[0],
                "sources": [seed.source],
                "viewers": looking.get(seed.key, 0),
            }
            for seed in seeds
        ]

    def item(self, one: Recommended, *, relevance: int) -> RecommendationItemDocument:
        kind, item_id = one.key
        shown: RecommendationItemDocument = {
            "itemId": self.identifier(item_id),
            "itemType": kind,
            "relevance": relevance,
        }
        if one.seeds:
            shown["origin"] = self.origin(one.seeds)
        if self.recommend_category and (category := self.category_of(one.key)):
            shown["category"] = category
        shown["links"] = self.links(one)
        if self.attributes:
            shown["attributes"] = attributes(one.row, self.attributes)
        return shown

    def category_of(self, key: Key) -> str:
        """Of an item in several categories the one that is closest to the category asked for (3.2)."""
        paths = catalogues.of(self.request.customer_id).paths_of(key)
        if len(paths) < 2:
            return ""
        wanted = [path.split("/") for path in self.request.category_paths if path]
        shared = {path: max((common(path.split("/"), one) for one in wanted), default=0) for path in paths}
        best = max(paths, key=lambda path: shared[path])
        return best if shared[best] else ""

    def origin(self, seeds: tuple[Seed, ...]) -> OriginDocument:
        """The strongest seeds that share type and source with the very strongest."""
        first = seeds[0]
        alike = [seed for seed in seeds if (seed.key[0], seed.source) == (first.key[0], first.source)]
        return {
            "itemIds": [self.identifier(seed.key[1]) for seed in alike[:MAX_ORIGINS]],
            "itemType": first.key[0],
            "source": first.source,
        }

    def links(self, one: Recommended) -> LinksDocument:
        return {
            "clickRecommended": self.link("clickrecommended", one),
            "rendered": self.link("rendered", one),
        }

    def link(self, event: str, one: Recommended) -> str:
        path = event_path(self.request.customer_id, event, self.request.user, *one.key)
        return (
            f"//{self.host}{path}?scenario={self.scenario}&modelid={one.model.pk}"
            f"&categorypath={self.category}&requestuuid={self.uuid}{self.signature}"
        )


def common(one: list[str], other: list[str]) -> int:
    """How many steps two paths have in common from the root."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def event_host(customer_id: str) -> str:
    """Host and port of the customer's event intake, for protocol-relative links."""
    parts = urlsplit(event_base_of(customer_id))
    return parts.netloc + parts.path.rstrip("/")


def event_base_of(customer_id: str) -> str:
    """The base address of the customer's event intake, for links outside of pages."""
    named = [site.event_endpoint for site in sites_of(customer_id) if site.event_endpoint]
    return (named[0] if named else http.event_base()).rstrip("/")


def attributes(row: Shown | None, keys: Sequence[str]) -> list[AttributeDocument]:
    """All values of each attribute, each once; an empty list where the item has none."""
    values: dict[str, dict[str, None]] = {key: {} for key in keys}
    for key, _kind, value in row.attributes() if row else ():
        if key in values:
            values[key][value] = None
    return [{"key": key, "values": list(values[key])} for key in keys]

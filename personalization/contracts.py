"""The wire documents and addresses that the connector and the engine share.

The two halves meet only here and over HTTP, so that either can be exchanged for a remote one.
Sources: reference `client-protocol.md` 2.9, 2.10, 3.4, 3.6, 4.1, 4.4 and `engine-protocol.md` 2.6, 3.3.
Incoming documents are read leniently (unknown keys are kept or ignored); what this project sends has
exactly the keys and the order of those sections.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NotRequired, TypedDict
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from config.languages import (
    UnknownLanguage,
    from_protocol_language,
    is_protocol_language,
    to_protocol_language,
)

__all__ = [
    "CONTENTLIST_MEDIA_TYPE",
    "CONTENT_MEDIA_TYPE",
    "Action",
    "ContentItem",
    "ContentList",
    "Credentials",
    "Notification",
    "NotificationEvent",
    "RecommendationAnswer",
    "UnknownLanguage",
    "content_path",
    "contentlist_path",
    "export_download_path",
    "from_protocol_language",
    "is_protocol_language",
    "item_path",
    "items_of",
    "items_path",
    "new_transaction",
    "recommendation_path",
    "remote_content_path",
    "to_protocol_language",
    "validation_sentences",
]

# --- Media types and limits -------------------------------------------------------------------

CONTENT_MEDIA_TYPE = "application/vnd.ibexa.api.Content+json"
CONTENTLIST_MEDIA_TYPE = "application/vnd.ibexa.api.ContentList+json"
ERROR_MEDIA_TYPE = "application/vnd.ibexa.api.ErrorMessage+json"
MAX_ITEM_TYPE = 2_147_483_647  # engine-protocol.md 1.1: 31 bit
MAX_ITEM_ID_LENGTH = 255
DEFAULT_RECOMMENDATIONS = 10
MAX_RECOMMENDATIONS = 50

REST_PREFIX = "/api/ibexa/v2/personalization/v1"
# Where older clients of the platform have the same addresses (reference 4.1).
OLDER_REST_PREFIXES = (
    "/api/ezp/v2/ibexa_recommendation/v1",
    "/api/ezp/v2/ibexa_personalization/v1",
    "/api/ezp/v2/ez_recommendation/v1",
)
REST_PREFIXES = (REST_PREFIX, *OLDER_REST_PREFIXES)


# --- Notifications: connector -> engine -------------------------------------------------------


class Action(StrEnum):
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    FULL = "FULL"


def no_credentials_as_none(value: Any) -> Any:
    """The method "none" is written as an empty array by older clients (client-protocol.md 2.8)."""
    return None if value == [] else value


def id_as_text(value: Any) -> Any:
    """Ids arrive as numbers, or as strings where remote ids are on."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def printable(value: str) -> str:
    """What stands in a header of the requests that fetch; the message does not repeat a secret."""
    if not value.isprintable():
        raise ValueError("must hold printable characters only")
    return value


Text = Annotated[str, AfterValidator(without_nul)]
Secret = Annotated[str, AfterValidator(printable)]
ItemId = Annotated[Text, BeforeValidator(id_as_text), Field(min_length=1, max_length=MAX_ITEM_ID_LENGTH)]
ItemType = Annotated[int, Field(ge=1, le=MAX_ITEM_TYPE)]


class Credentials(BaseModel):
    """What the engine presents when it fetches: the run's login, the short-lived token, or both."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    login: Secret | None = None
    password: Secret | None = None
    token: Secret | None = None


class NotificationEvent(BaseModel):
    """One change: a complete export of a type and language, or one item that changed or went."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    action: Action
    format: str = "EZ"
    uri: str | list[str] = ""
    itemId: ItemId | None = None  # noqa: N815 - the wire's name
    contentTypeId: ItemType  # noqa: N815 - the wire's name
    contentTypeName: Text = ""  # noqa: N815 - the wire's name
    lang: str | None = None
    credentials: Annotated[Credentials | None, BeforeValidator(no_credentials_as_none)] = None

    @field_validator("lang")
    @classmethod
    def known_shape(cls, value: str | None) -> str | None:
        if value and not is_protocol_language(value):
            raise ValueError(f"a language is written like eng-GB; got {value!r}")
        return value

    @property
    def uris(self) -> list[str]:
        """The addresses to fetch, whether one or several were given."""
        given = [self.uri] if isinstance(self.uri, str) else self.uri
        return [uri for uri in given if uri]


class Notification(BaseModel):
    """Body of ``POST /api/<customer>/items``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    transaction: str | None = None
    events: list[NotificationEvent] = Field(min_length=1, max_length=10_000)

    @field_validator("transaction")
    @classmethod
    def digits(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[0-9]{14,20}", value):
            raise ValueError(f"a transaction is a time stamp of 17 digits; got {value!r}")
        return value or None


class FullEventDocument(TypedDict):
    """A FULL event as this project sends it, in the order of client-protocol.md 2.10."""

    action: str
    format: str
    contentTypeId: int
    contentTypeName: str
    lang: str
    uri: list[str]
    credentials: dict[str, str | None]


class ItemEventDocument(TypedDict):
    """An UPDATE or DELETE event as this project sends it, in the order of client-protocol.md 3.4."""

    action: str
    format: str
    uri: str
    itemId: int | str
    contentTypeId: int
    lang: str
    credentials: dict[str, str | None]


class NotificationDocument(TypedDict):
    transaction: str | None
    events: list[FullEventDocument] | list[ItemEventDocument]


def new_transaction(now: datetime | None = None) -> str:
    """A transaction id: the second in UTC and a random number of three digits, 17 digits in all."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{moment:%Y%m%d%H%M%S}{111 + secrets.randbelow(889)}"


# --- Content items: what an export file and the REST endpoints hold ---------------------------


class ContentItem(BaseModel):
    """One item of client-protocol.md 4.4. Every other key is kept: each is an attribute."""

    model_config = ConfigDict(extra="allow")

    contentId: ItemId  # noqa: N815 - the wire's name
    contentTypeId: ItemType  # noqa: N815 - the wire's name
    identifier: Any = ""
    language: str = ""
    publishedDate: Any = None  # noqa: N815 - the wire's name
    author: Any = ""
    uri: Any = ""
    categoryPath: Any = None  # noqa: N815 - the wire's name


class ContentList(TypedDict):
    """The envelope of a list and of a single item alike."""

    contentList: dict[str, Any]


def items_of(document: Any) -> list[Any]:
    """The raw items of an export file or REST answer, whichever envelope it uses.

    Accepts ``{"contentList": {"content": [...]}}`` (keys in any case), one item in place of the list, and
    the ``{"content": ...}`` envelope. Raises :class:`ValueError` with a sentence for anything else.
    """
    inner = value_of(document, "contentlist", default=document)
    content = value_of(inner, "content", default=None)
    if isinstance(content, list):
        return content
    if isinstance(content, dict):
        return [content]
    raise ValueError('The document has no "contentList" object with a "content" array.')


def value_of(document: Any, name: str, *, default: Any) -> Any:
    if not isinstance(document, dict):
        return default
    for key, value in document.items():
        if isinstance(key, str) and key.lower() == name:
            return value
    return default


# --- Recommendation answers: engine -> connector ----------------------------------------------


class ContextItemDocument(TypedDict):
    itemId: int | str
    itemType: int
    sources: list[str]
    viewers: int


class OriginDocument(TypedDict):
    """Why an item is recommended: from these items, which came from the request or the history."""

    itemIds: list[int | str]
    itemType: int
    source: str  # REQUEST, CLICK, CONSUME, BUY, BASKET, RATE


class LinksDocument(TypedDict):
    """Protocol-relative addresses: call the first when clicked, the second when shown."""

    clickRecommended: str
    rendered: str


class AttributeDocument(TypedDict):
    key: str
    values: list[str]


class RecommendationItemDocument(TypedDict):
    itemId: int | str
    itemType: int
    relevance: int
    origin: NotRequired[OriginDocument]
    category: NotRequired[str]
    links: NotRequired[LinksDocument]
    attributes: NotRequired[list[AttributeDocument]]


class RecommendationAnswer(TypedDict):
    """Answer of ``GET /api/v2/<customer>/<user>/<scenario>.json``, engine-protocol.md 3.3."""

    contextItems: list[ContextItemDocument]
    recommendationItems: list[RecommendationItemDocument]


# --- Addresses --------------------------------------------------------------------------------


def segment(value: object) -> str:
    """One path segment, everything but RFC 3986 unreserved characters percent-encoded."""
    return quoted(str(value))


@lru_cache(maxsize=1024)
def quoted(text: str) -> str:
    """The twenty links of one answer quote the same customer, user and events again and again."""
    return quote(text, safe="")


def items_path(customer_id: str | int) -> str:
    """Where notifications go."""
    return f"/api/{segment(customer_id)}/items"


def item_path(customer_id: str | int, item_type: int, item_id: str | int) -> str:
    """One item of the engine's store, as XML."""
    return f"/api/{segment(customer_id)}/item/{segment(item_type)}/{segment(item_id)}"


def recommendation_path(customer_id: str | int, user: str, scenario: str, *, extension: str = "json") -> str:
    """Recommendations of a scenario for a user; ``user`` is the raw id, as in tracking."""
    return f"/api/v2/{segment(customer_id)}/{segment(user)}/{segment(scenario)}.{extension}"


def event_path(
    customer_id: str | int, event: str, user: str, item_type: int | str, item_id: str | int
) -> str:
    """The address of one tracking event, without its query."""
    parts = (customer_id, event, user, item_type, item_id)
    return "/api/" + "/".join(segment(part) for part in parts)


def content_path(content_id: int | str) -> str:
    """One item of the site, by its number."""
    return f"{REST_PREFIX}/content/id/{segment(content_id)}"


def remote_content_path(remote_id: str) -> str:
    """One item of the site, by its remote id."""
    return f"{REST_PREFIX}/content/remote-id/{segment(remote_id)}"


def contentlist_path(content_ids: Iterable[int | str]) -> str:
    """Several items of the site."""
    return f"{REST_PREFIX}/contentlist/{','.join(segment(one) for one in content_ids)}"


def export_download_path(file_path: str) -> str:
    """One file of a full export; ``file_path`` is relative to the export root, with slashes."""
    return f"{REST_PREFIX}/export/download/{quote(file_path, safe='/')}"


# --- Messages ---------------------------------------------------------------------------------


def validation_sentences(error: ValidationError, *, limit: int = 5) -> list[str]:
    """Sentences that name the field, the rule and the value, for an answer with status 400."""
    found = error.errors(include_url=False)
    sentences = [sentence_of(detail) for detail in found[:limit]]
    if len(found) > limit:
        sentences.append(f"{len(found) - limit} more faults were found.")
    return sentences


def sentence_of(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "The document"
    rule = detail["msg"].removeprefix("Value error, ").rstrip(".")
    if detail["type"] == "missing":
        return f"{place} is missing."
    if detail["type"] == "value_error":
        return f"{place}: {rule}."
    return f"{place}: {rule}; got {repr(detail['input'])[:80]}."

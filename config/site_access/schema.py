"""The keys of one entry: reference `client-protocol.md` 1.2, in pydantic."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

WHOLE_NUMBER = re.compile(r"^(?:0|[1-9][0-9]{0,18})$")
MOST_EVENTS_PER_SECOND = 10_000_000
DEFAULT_PORTS = {"http": 80, "https": 443}
LANGUAGE = re.compile(r"^[a-z]{3}-[A-Z]{2}$")
RELATION = re.compile(r"^[a-zA-Z]\w+\.[a-zA-Z]\w+$", re.ASCII)
TYPE_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
RENAMED = {"included_content_types": "included_item_types", "random_content_types": "random_item_types"}


def base_address(value: str) -> str:
    """An absolute http(s) address without the slashes at its end; "" means not given."""
    if not value:
        return ""
    parts = urlsplit(value)
    try:
        complete = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        complete = False
    if not complete or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://shop.example, without user, query or fragment")
    return value.rstrip("/")


def web_origin(value: str) -> str:
    """Scheme, host and port of a page, in lower case, as browsers send them."""
    parts = urlsplit(base_address(value))
    if not parts.netloc or parts.path:
        raise ValueError("must be the origin of pages such as https://www.example.org, without a path")
    port = None if parts.port == DEFAULT_PORTS[parts.scheme] else parts.port
    host = (parts.hostname or "").encode("idna").decode()
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def origin_of(address: str) -> str:
    """The same of an address with a path and a query. Raises ValueError where it has none."""
    parts = urlsplit(address)
    return web_origin(f"{parts.scheme}://{parts.netloc}")


def language_code(value: str) -> str:
    if not LANGUAGE.match(value):
        raise ValueError("must be a language code such as eng-GB")
    return value


def type_identifier(value: str) -> str:
    if not TYPE_IDENTIFIER.match(value):
        raise ValueError("must be the identifier of an item type: letters, digits, - and _")
    return value


def relation(value: str) -> str:
    if not RELATION.match(value):
        raise ValueError("must follow the pattern content_type.field (each word of two characters or more)")
    return value


def root_name(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def export_method(value: Any) -> Any:
    if value not in ("basic", "user", "none"):
        raise ValueError(
            f"must be one of basic, user and none (Unsupported ExportCredentialsStrategy: {str(value)[:80]}. "
            "Supported strategies: basic, user, none)"
        )
    return value


def nothing_is_empty(value: Any) -> Any:
    return "" if value is None else value


def customer_number(value: Any) -> Any:
    """Digits count as a number, as `%env(NAME)%` without a conversion gives them; 010 does not."""
    if isinstance(value, str) and WHOLE_NUMBER.match(value):
        return int(value)
    return 0 if value in (None, "") else value


BaseAddress = Annotated[str, BeforeValidator(nothing_is_empty), AfterValidator(base_address)]
Text = Annotated[str, BeforeValidator(nothing_is_empty)]
Language = Annotated[str, AfterValidator(language_code)]
ItemTypeName = Annotated[str, AfterValidator(type_identifier)]
Relation = Annotated[str, AfterValidator(relation)]


Origin = Annotated[str, AfterValidator(web_origin)]


class Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Authentication(Node):
    customer_id: Annotated[StrictInt, BeforeValidator(customer_number)] = Field(default=0, ge=0, lt=2**63)
    license_key: Text = Field(default="", max_length=255)


class ExportAuthentication(Node):
    method: Annotated[Literal["basic", "user", "none"], BeforeValidator(export_method)] = "basic"
    login: Text = ""
    password: Text = ""


class Export(Node):
    authentication: ExportAuthentication = ExportAuthentication()
    document_root: Text = ""  # accepted; exports live below LODESTAR_VAR_DIR
    # So many items and more are exported by a worker when the back office asks.
    async_threshold: StrictInt = Field(default=1000, ge=0, le=10**9)


class UserApi(Node):
    default_source: Text = ""


class Endpoint(Node):
    endpoint: BaseAddress = ""


class Recommendation(Endpoint):
    consume_timeout: StrictInt = Field(default=20, ge=1, le=3600)


class EventTracking(Endpoint):
    script_url: Text = ""


class Api(Node):
    admin: Endpoint = Endpoint()
    recommendation: Recommendation = Recommendation()
    event_tracking: EventTracking = EventTracking()
    notifier: Endpoint = Endpoint()
    user: Endpoint = Endpoint()


# The codes of tracking.events, which lies above; a test holds both to each other.
Kept = Literal[
    "default",
    "click",
    "consume",
    "buy",
    "login",
    "basket",
    "deletefrombasket",
    "wishlist",
    "deletefromwishlist",
    "rate",
    "blacklist",
    "owns",
    "rendered",
    "clickrecommended",
    "triggeropened",
    "clicktriggered",
]
Days = Annotated[StrictInt, Field(ge=1, le=36_500)]


class Tracking(Node):
    do_not_track: StrictBool = True
    global_privacy_control: StrictBool = True
    consent_required: StrictBool = False
    events_per_second: StrictInt = Field(default=50_000, ge=0, le=MOST_EVENTS_PER_SECOND)
    require_license_key: StrictBool = False
    allowed_origins: tuple[Origin, ...] = ()
    store_robots: StrictBool = False
    signed_users: StrictBool = False
    retention: dict[Kept, Days] = {}


class Identifiers(Node):
    intro: dict[str, str] = {}
    image: dict[str, str] = {}
    author: dict[str, str] = {}


class FieldMaps(Node):
    identifiers: Identifiers = Identifiers()
    relations: dict[Relation, Relation] = {}


class OutputAttributes(Node):
    title: str
    image: str = ""
    description: str = ""


class ContentRepository(Node):
    use_remote_id: bool = False
    legacy_strings: StrictBool = False


class Repository(Node):
    content: ContentRepository = ContentRepository()


class Entry(Node):
    """One scope after merging; unknown keys are refused."""

    site_name: Text = ""
    authentication: Authentication = Authentication()
    host_uri: BaseAddress = ""
    root: Annotated[str, BeforeValidator(nothing_is_empty), BeforeValidator(root_name)] = ""
    languages: tuple[Language, ...] = ()
    included_item_types: tuple[ItemTypeName, ...] = ()
    random_item_types: tuple[ItemTypeName, ...] = ()
    output_type_attributes: dict[Annotated[int, Field(gt=0, lt=2**31)], OutputAttributes] = {}
    # Unlike on the reference's platform, where 14 is its administrator, no user is meant by default.
    author_id: StrictInt = Field(default=0, ge=0, lt=2**63)
    export: Export = Export()
    user_api: UserApi = UserApi()
    api: Api = Api()
    tracking: Tracking = Tracking()
    field: FieldMaps = FieldMaps()
    repository: Repository = Repository()
    cdp: dict[str, Any] = {}
    connector_raptor: dict[str, Any] = {}


def known_keys(path: tuple[str, ...]) -> list[str]:
    """The keys that may stand at ``path`` inside an entry, for "did you mean"."""
    model: Any = Entry
    for key in path:
        model = model.model_fields[key].annotation if key in model.model_fields else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    names = list(model.model_fields)
    return names + [old for old, new in RENAMED.items() if new in names]

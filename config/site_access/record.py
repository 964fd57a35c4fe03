"""What the rest of the project sees of one entry of the sites file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured


class SitesFileError(ImproperlyConfigured):
    """The sites file cannot be used; the message names file, line, key and remedy."""


class UnknownSite(LookupError):
    """No entry of the sites file answers to this name or customer id."""


@dataclass(frozen=True, kw_only=True)
class EventGate:
    """Which events of a customer are taken at all."""

    # A collector stores about half as many on a small machine; this keeps one customer from taking all of a
    # large one. 0 is no limit.
    events_per_second: int = 50_000
    needs_license_key: bool = False
    origins: tuple[str, ...] = ()  # of pages, lower case, such as https://www.example.org; empty is any
    stores_robots: bool = False
    signed_users: bool = False  # ids of accounts come with the site's signature: customers.signing

    @property
    def looks_closer(self) -> bool:
        """Whether more than the event itself decides if it is taken."""
        return self.needs_license_key or self.signed_users or bool(self.origins)

    def stricter(self, other: EventGate) -> EventGate:
        """The gate of two sites that share a customer; each may name origins of its own."""
        budgets = [one.events_per_second for one in (self, other) if one.events_per_second]
        return EventGate(
            events_per_second=min(budgets, default=0),
            needs_license_key=self.needs_license_key or other.needs_license_key,
            origins=tuple(sorted({*self.origins, *other.origins})),
            stores_robots=self.stores_robots and other.stores_robots,
            signed_users=self.signed_users or other.signed_users,
        )


@dataclass(frozen=True, kw_only=True)
class SiteAccess:
    """The effective settings of one entry of the sites file that has credentials."""

    name: str
    site_name: str
    customer_id: int
    license_key: str = field(repr=False)
    host_uri: str  # public base address of the content REST API, no trailing slash
    root: str = ""  # host name (with port) or id of the Wagtail site; "" is the default site
    languages: tuple[str, ...] = ()  # eng-GB form; empty: every language of the site
    included_item_types: tuple[str, ...] = ()
    random_item_types: tuple[str, ...] = ()
    output_type_attributes: dict[int, dict[str, str]] = field(default_factory=dict)
    use_remote_id: bool = False
    legacy_strings: bool = False  # items have strings for values, for older engines
    admin_endpoint: str = ""
    notifier_endpoint: str = ""
    recommendation_endpoint: str = ""
    event_endpoint: str = ""
    user_endpoint: str = ""
    script_url: str = ""
    consume_timeout: int = 20  # seconds
    # Headers with which a browser asks not to be followed, as far as this site honours them; lower case.
    opt_out_headers: tuple[str, ...] = ("dnt", "sec-gpc")
    gate: EventGate = EventGate()
    consent_required: bool = False  # before a visitor consents nothing is linked to anybody
    retention: dict[str, int] = field(default_factory=dict)  # event code or "default" -> days
    export_method: str = "basic"  # basic, user, none
    export_login: str = ""
    export_password: str = field(default="", repr=False)
    async_threshold: int = 1000  # items; the back office leaves as many and more to a worker
    author_id: int = 0  # user whose name items without author and owner have
    user_source: str = ""  # default source of the user metadata API
    # intro, image, author -> item type -> field
    field_identifiers: dict[str, dict[str, str]] = field(default_factory=dict)
    field_relations: dict[str, str] = field(default_factory=dict)  # type.field -> type.field
    cdp: dict[str, Any] = field(default_factory=dict, repr=False)  # as written; validated by its own part

    def serves(self, language: str) -> bool:
        """Whether items in ``language`` (eng-GB form) belong to this entry."""
        return not self.languages or language in self.languages

"""The sites file, typed and validated."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SiteAccess:
    """The effective settings of one entry of the sites file that has credentials."""

    name: str
    site_name: str
    customer_id: int
    license_key: str
    host_uri: str  # public base address of the content REST API, no trailing slash
    root: str = ""  # host name (with port) or id of the Wagtail site; "" is the default site
    languages: tuple[str, ...] = ()  # eng-GB form; empty: every language of the site
    included_item_types: tuple[str, ...] = ()
    random_item_types: tuple[str, ...] = ()
    output_type_attributes: dict[int, dict[str, str]] = field(default_factory=dict)
    use_remote_id: bool = False
    admin_endpoint: str = ""
    notifier_endpoint: str = ""
    recommendation_endpoint: str = ""
    event_endpoint: str = ""
    user_endpoint: str = ""
    script_url: str = ""
    consume_timeout: int = 20  # seconds
    export_method: str = "basic"  # basic, user, none
    export_login: str = ""
    export_password: str = ""


def configured_sites() -> tuple[SiteAccess, ...]:
    """Every site of the sites file that has a customer id and a license key, in file order."""
    return ()

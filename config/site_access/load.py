"""The sites file as a whole: read, merge, resolve, validate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from config.http.own import event_base, is_own, own_base, seen_from
from config.site_access.document import Document, KeyPath, read, shown
from config.site_access.placeholders import BadPlaceholder, resolve, walked
from config.site_access.record import EventGate, SiteAccess, SitesFileError
from config.site_access.schema import Entry, known_keys
from config.site_access.scopes import CDP_ROOTS, SEGMENTATION_ROOTS, Scoped, did_you_mean, sites


@dataclass(frozen=True)
class SitesFile:
    """A sites file that has passed every check."""

    path: Path
    sites: tuple[SiteAccess, ...]
    without_credentials: tuple[str, ...] = ()
    cdp: dict[str, Any] = field(default_factory=dict)  # the global CDP keys, as written
    segmentation: Any = None  # the global keys of segments, as written
    # By entry its CDP keys as written, those without credentials of the engine too.
    cdp_of_sites: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    # The entries of these, of which those without credentials are customers of no engine.
    sites_with_cdp: dict[str, SiteAccess] = field(default_factory=dict)
    # By entry how its pages track for the CDP; validated by its own part.
    connectors: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def policy(self) -> dict[str, tuple[str, ...]]:
        """Directives of the Content-Security-Policy -> other hosts that the tracker of a page talks to."""
        events = origins(s.event_endpoint for s in self.sites if not is_own(s.event_endpoint))
        urls = (s.script_url for s in self.sites if not s.script_url.startswith("/"))
        scripts = origins(url if "//" in url else f"https://{url}" for url in urls if url)
        added = {"connect-src": events, "img-src": events, "script-src": scripts}
        return {directive: found for directive, found in added.items() if found}

    @cached_property
    def own_collector(self) -> str:
        """The address of our own collector, where pages send events to a port of its own; else ""."""
        events = (site.event_endpoint for site in self.sites)
        return next((url for url in events if seen_from(url, host="localhost")), "")


def origins(urls: Iterable[str]) -> tuple[str, ...]:
    """Scheme, host and port of each address that has them, sorted."""
    parts = [urlsplit(url) for url in urls]
    return tuple(sorted({f"{one.scheme}://{one.netloc}" for one in parts if one.netloc}))


def load(path: Path) -> SitesFile:
    """Read and check ``path``; raises :class:`SitesFileError` with one sentence."""
    document = read(path)
    complete: list[SiteAccess] = []
    incomplete: list[str] = []
    with_cdp: dict[str, SiteAccess] = {}
    connectors: dict[str, dict[str, Any]] = {}
    for scoped in sites(document):
        entry = validated(document, scoped)
        if entry.cdp:
            with_cdp[scoped.name] = effective(scoped.name, entry)
        if entry.connector_raptor:
            connectors[scoped.name] = entry.connector_raptor
        if entry.authentication.customer_id and entry.authentication.license_key:
            complete.append(effective(scoped.name, entry))
        else:
            incomplete.append(scoped.name)
    cdp = {root: document.values[root] for root in CDP_ROOTS if root in document.values}
    return SitesFile(
        path=path,
        sites=tuple(complete),
        without_credentials=tuple(incomplete),
        cdp=cdp,
        segmentation=document.values.get(SEGMENTATION_ROOTS[0]) or {},
        cdp_of_sites={name: site.cdp for name, site in with_cdp.items()},
        sites_with_cdp=with_cdp,
        connectors=connectors,
    )


def validated(document: Document, scoped: Scoped) -> Entry:
    values = resolved(document, scoped)
    try:
        entry = Entry.model_validate(values)
    except ValidationError as error:
        raise SitesFileError(sentence(document, scoped, error)) from None
    login = entry.export.authentication
    if login.method == "user" and not (login.login and login.password):
        path = ("export", "authentication", "method")
        raise SitesFileError(
            f"{document.place(*scoped.places(path))}: site {scoped.name!r} asks for the export method "
            "'user' but gives no login or no password; set both or use the method 'basic'."
        )
    return entry


def resolved(document: Document, scoped: Scoped) -> dict[str, Any]:
    """The values of a site with their placeholders replaced; the CDP's own keys stay as written."""

    def replaced(value: Any, path: KeyPath) -> Any:
        try:
            return resolve(value)
        except BadPlaceholder as error:
            where = document.place(*scoped.places(path))
            raise SitesFileError(f"{where}: key {'.'.join(path)} of site {scoped.name!r}: {error}.") from None

    merged = scoped.merged()
    return {
        key: value if key == "cdp" else walked(value, replaced, path=(key,)) for key, value in merged.items()
    }


def sentence(document: Document, scoped: Scoped, error: ValidationError) -> str:
    """The first fault in words: file, line, site, key, rule, value."""
    fault = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in fault["loc"] if part != "[key]")
    where = document.place(*scoped.places(path))
    if fault["type"] == "extra_forbidden":
        hint = did_you_mean(path[-1], known_keys(path[:-1]))
        return f"{where}: {'.'.join(path)} of site {scoped.name!r} is not a known key.{hint}"
    rule = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    rule = rule if rule.startswith("must ") else f"must be {rule}"
    value = "a secret" if path[-1] in {"license_key", "password"} else shown(fault["input"])
    return f"{where}: {'.'.join(path)} of site {scoped.name!r} {rule}; got {value}."


def effective(name: str, entry: Entry) -> SiteAccess:
    """The entry with what it leaves out filled in: an absent address is this installation's own."""
    api = entry.api
    admin = api.admin.endpoint or own_base()
    login = entry.export.authentication
    return SiteAccess(
        name=name,
        site_name=entry.site_name or name,
        customer_id=entry.authentication.customer_id,
        license_key=entry.authentication.license_key,
        host_uri=entry.host_uri or own_base(),
        root=entry.root,
        languages=entry.languages,
        included_item_types=entry.included_item_types,
        random_item_types=entry.random_item_types,
        output_type_attributes=dict(output_attributes(entry)),
        use_remote_id=entry.repository.content.use_remote_id,
        legacy_strings=entry.repository.content.legacy_strings,
        admin_endpoint=admin,
        notifier_endpoint=api.notifier.endpoint or admin,
        recommendation_endpoint=api.recommendation.endpoint or own_base(),
        event_endpoint=api.event_tracking.endpoint or event_base(),
        user_endpoint=api.user.endpoint or own_base(),
        script_url=api.event_tracking.script_url,
        consume_timeout=api.recommendation.consume_timeout,
        opt_out_headers=tuple(opt_out_headers(entry)),
        consent_required=entry.tracking.consent_required,
        gate=EventGate(
            events_per_second=entry.tracking.events_per_second,
            needs_license_key=entry.tracking.require_license_key,
            origins=entry.tracking.allowed_origins,
            stores_robots=entry.tracking.store_robots,
            signed_users=entry.tracking.signed_users,
        ),
        retention={str(code): days for code, days in entry.tracking.retention.items()},
        export_method=login.method,
        export_login=login.login,
        export_password=login.password,
        async_threshold=entry.export.async_threshold,
        author_id=entry.author_id,
        user_source=entry.user_api.default_source,
        field_identifiers=entry.field.identifiers.model_dump(),
        field_relations=dict(entry.field.relations),
        cdp=entry.cdp,
    )


def opt_out_headers(entry: Entry) -> Iterator[str]:
    if entry.tracking.do_not_track:
        yield "dnt"
    if entry.tracking.global_privacy_control:
        yield "sec-gpc"


def output_attributes(entry: Entry) -> Iterator[tuple[int, dict[str, str]]]:
    for type_id, attributes in entry.output_type_attributes.items():
        yield type_id, {key: value for key, value in attributes.model_dump().items() if value}

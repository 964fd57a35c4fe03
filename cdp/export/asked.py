"""From the options of a command to its :class:`~cdp.export.order.Order`, each wrong one with a sentence."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cdp import configuration
from cdp.export import items
from cdp.export.chunks import MOST_ROWS
from cdp.export.hooks import user_types
from cdp.export.order import Order, Unconfigured, WrongUse
from cdp.written import STREAM_ID, STREAM_ID_RULE, Kind, SiteCdp
from config import site_access
from config.http.own import is_own, own_base
from config.site_access import SiteAccess
from config.site_access.scopes import did_you_mean
from content.items.types import item_types

CHUNK_ROWS, DRAFT_ROWS, MOST = 500, 1000, 10**9
TYPE_OPTIONS: dict[Kind, str] = {
    "user": "--user-content-type",
    "product": "--product-type",
    "content": "--content-type",
}

# Who knows whether a stream of an account here overwrites its data with each run.
overwriting: list[Callable[[int, str], bool]] = []


def add_arguments(parser: ArgumentParser, kind: Kind) -> None:
    """The options of the command that streams ``kind`` (reference `cdp.md` 1.1)."""
    add = parser.add_argument
    add("--draft", action="store_true", help="send test data: the sample of the dataflow (the default)")
    add("--no-draft", action="store_true", help="send all data, for production")
    add("--stream-id", default="", help="default: that of the sites file")
    default = "user" if kind == "user" else ""
    add(TYPE_OPTIONS[kind], dest="item_type", default=default, help="which type to send")
    add("--site", default="", help="entry of the sites file; default: the only one with a part cdp")
    add("--chunk-size", default=str(CHUNK_ROWS), help=f"rows per request (default: {CHUNK_ROWS})")
    add("--limit", default="", help="only the first so many rows")
    add("--draft-limit", default="", help=f"rows of a draft (default: {DRAFT_ROWS})")
    add("--dry-run", action="store_true", help="build every row and send nothing; with -v 2 rows are printed")
    add("--run-id", default="", help="go on with a run that broke off, or give a new one its id")
    add("--strict", action="store_true", help="stop at the first row that cannot go out")
    if kind == "user":
        add("--exclude-anonymous", action="store_true", help="leave out accounts that stand for nobody")
    else:
        add("--since", default="", help="only what changed at or after an ISO time; not for Overwrite")
        add("--force", action="store_true", help="--since even for a dataflow that overwrites")


def order_of(kind: Kind, options: Mapping[str, Any]) -> Order:
    """Raises :class:`WrongUse` and :class:`Unconfigured`."""
    if options["draft"] and options["no_draft"]:
        raise WrongUse("--draft and --no-draft exclude each other: say one of them.")
    item_type = type_of(kind, options["item_type"].strip())
    is_draft = not options["no_draft"]
    limit = limit_of(options, is_draft=is_draft)
    chunk_size = whole("--chunk-size", options["chunk_size"], most=MOST_ROWS)
    run_id, since = run_of(options["run_id"]), moment("--since", options.get("since", ""))
    site, part = site_of(options["site"].strip())
    if part.account_number is None:
        raise Unconfigured(f"Site {site.name!r} has no cdp.account_number in the sites file.")
    stream_id = stream_of(kind, options["stream_id"].strip(), site, part)
    endpoint = part.stream_endpoint or own_base()
    if since and not options["force"] and is_own(endpoint):
        refuse_overwriting(part.account_number, stream_id)
    return Order(
        kind=kind,
        item_type=item_type,
        site=site,
        account=part.account_number,
        endpoint=endpoint,
        stream_id=stream_id,
        is_draft=is_draft,
        run_id=run_id,
        chunk_size=chunk_size,
        limit=limit,
        since=since,
        without_anonymous=bool(options.get("exclude_anonymous")),
        strict=bool(options["strict"]),
        dry_run=bool(options["dry_run"]),
    )


def type_of(kind: Kind, asked: str) -> str:
    """The type to send. What is no type of users is a fault of the configuration (reference 1.1)."""
    option = TYPE_OPTIONS[kind]
    known = types_of(kind)
    if not asked:
        raise WrongUse(
            f"{option} is missing: one type per call, since each needs a stream of its own."
            f" Known are: {', '.join(known) or 'none'}."
        )
    if asked in known:
        return asked
    what = "type of users" if kind == "user" else f"{kind} type"
    sentence = f"{option}: there is no {what} {asked[:80]!r}.{did_you_mean(asked[:80], known)}"
    if kind == "user":
        raise Unconfigured(sentence)
    if kind == "product" and asked in item_types():
        raise WrongUse(f"{option}: items of the type {asked!r} have no price; use stream_content_data.")
    raise WrongUse(sentence)


def types_of(kind: Kind) -> list[str]:
    if kind == "user":
        return sorted(user_types)
    return sorted(items.product_types() if kind == "product" else item_types())


def limit_of(options: Mapping[str, Any], *, is_draft: bool) -> int | None:
    limit = whole("--limit", options["limit"], most=MOST) if options["limit"] else None
    if not is_draft:
        if options["draft_limit"]:
            raise WrongUse("--draft-limit is for drafts; with --no-draft say --limit.")
        return limit
    sample = whole("--draft-limit", options["draft_limit"] or str(DRAFT_ROWS), most=MOST)
    return sample if limit is None else min(limit, sample)


def site_of(name: str) -> tuple[SiteAccess, SiteCdp]:
    """The entry and its part for the platform; without a name the only one that has such a part."""
    parts = configuration.current().sites
    entries = site_access.current_file().sites_with_cdp
    if not parts:
        raise Unconfigured("No site of the sites file has a part cdp with an account_number and streams.")
    if not name and len(parts) > 1:
        raise WrongUse(f"Several sites have a part cdp; say --site with one of: {', '.join(parts)}.")
    name = name or next(iter(parts))
    if name not in parts:
        hint = did_you_mean(name[:80], list(parts))
        raise WrongUse(f"--site: no site {name[:80]!r} with a part cdp is in the sites file.{hint}")
    return entries[name], parts[name]


def stream_of(kind: Kind, asked: str, site: SiteAccess, part: SiteCdp) -> str:
    if asked and not STREAM_ID.fullmatch(asked):
        raise WrongUse(f"--stream-id {STREAM_ID_RULE}; got {len(asked)} characters that are none.")
    if stream := asked or part.stream_of(kind):
        return stream
    raise Unconfigured(
        f"Site {site.name!r} has no stream for {kind} data: set cdp.data_export.{kind}_data.stream_file."
        "stream_id in the sites file, or say --stream-id."
    )


def refuse_overwriting(account: int, stream_id: str) -> None:
    if any(overwrites(account, stream_id) for overwrites in overwriting):
        raise WrongUse(
            "--since would have this dataflow forget all that did not change, since it overwrites its data"
            " with each run. Send everything, or say --force."
        )


def run_of(asked: str) -> uuid.UUID:
    try:
        return uuid.UUID(asked) if asked else uuid.uuid4()
    except ValueError:
        raise WrongUse(f"--run-id must be a UUID; got {asked[:80]!r}.") from None


def moment(option: str, asked: str) -> datetime | None:
    """A time with or without an offset; without one it is of the installation's zone."""
    if not asked:
        return None
    try:
        found = parse_datetime(asked) or parse_datetime(f"{asked}T00:00")
    except ValueError:
        found = None
    if found is None:
        raise WrongUse(f"{option} must be an ISO time such as 2026-05-01T06:00+02:00; got {asked[:80]!r}.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def whole(option: str, raw: str | int, *, most: int) -> int:
    text = str(raw)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most):
        raise WrongUse(f"{option} must be a whole number from 1 to {most}; got {text[:80]!r}.")
    return int(text)

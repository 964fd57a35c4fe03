"""What the options of ``run_export`` ask for, in every spelling that the command ever had.

Reference `client-protocol.md` 2.2. Raises :class:`WrongUse` with a sentence that names the option, the rule
and the value.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from config import site_access
from config.site_access import SiteAccess
from content.items.types import item_types
from personalization.client import asked, credentials
from personalization.client.bodies import Shape
from personalization.client.errors import WrongUse
from personalization.client.export.run import Order
from personalization.client.export.selection import comma_list, did_you_mean

MAX_PAGE_SIZE = 100_000


def add_arguments(parser: ArgumentParser) -> None:
    """The options that say what to export for whom."""
    add = parser.add_argument
    add("--siteaccess", default="", help="site of the sites file")
    add("--customer-id", "--customerId", default="", help="customer at the engine")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--license-key", "--licenseKey", default="", help="other users can see it; prefer:")
    key.add_argument("--license-key-env", default="", metavar="NAME", help="environment variable with it")
    key.add_argument("--license-key-file", default="", metavar="FILE", help="file with the key")
    types = parser.add_mutually_exclusive_group()
    types.add_argument(
        "--item-type-identifier-list", default="", metavar="LIST", help="default: all that are included"
    )
    types.add_argument(
        "--contentTypeIdList", default="", metavar="LIST", help="the same by the numbers of the types"
    )
    add("--languages", default="", metavar="LIST", help="eng-GB,fre-FR; default: the site's")
    add("--page-size", "--pageSize", default=str(settings.EXPORT_PAGE_SIZE), help="items per file")
    add("--path", default="", help="only items with a location below it, such as /1/3/")
    add("--fields", default="", metavar="LIST", help="only these fields, besides those of every item")
    add("--image", default="", metavar="VARIATION", help="variation of the pictures, of IMAGE_VARIATIONS")
    add("--hidden", default="0", help="0 or 1; hidden items never leave the site, so both are the same")
    add("--page", default="1", help="of older versions; every page is exported")
    add("--host", default="", help="base of the file addresses; default: host_uri")
    add("--web-hook", "--webHook", default="", help="where the notification goes")


def orders_of(options: Mapping[str, Any]) -> list[Order]:
    """What to export, one order per customer."""
    targets = credentials.targets(
        customer_id=str(options["customer_id"]).strip(),
        license_key=license_key(options),
        site=options["siteaccess"],
    )
    for name in ("host", "web_hook"):
        refuse_bad_address(f"--{name.replace('_', '-')}", options[name])
    whole("--page", options["page"], most=10**9)
    if options["hidden"] not in ("0", "1"):
        raise WrongUse(f"--hidden must be 0 or 1; got {options['hidden'][:80]!r}.")
    return [
        Order(
            target=target,
            types=types_of(options),
            languages=comma_list(options["languages"]),
            page_size=whole("--page-size", options["page_size"], most=MAX_PAGE_SIZE),
            subtree=subtree_of(options["path"]),
            shape=shape_of(options),
            host=options["host"],
            web_hook=options["web_hook"],
        )
        for target in targets
    ]


def types_of(options: Mapping[str, Any]) -> list[str]:
    """The identifiers of the asked types, in the asked order; empty for all."""
    numbers = comma_list(options["contentTypeIdList"])
    identifiers = {str(kind.id): kind.identifier for kind in item_types().values()}
    for number in numbers:
        if not (number.isascii() and number.isdigit()):
            raise WrongUse(
                f"String should be a list of Integers: --contentTypeIdList takes numbers of item types; "
                f"got {number[:80]!r}. For names there is --item-type-identifier-list."
            )
        if number not in identifiers:
            known = ", ".join(f"{key} ({name})" for key, name in identifiers.items()) or "none"
            raise WrongUse(f"--contentTypeIdList: no item type has the number {number[:20]}. Known: {known}.")
    return [identifiers[number] for number in numbers] or comma_list(options["item_type_identifier_list"])


def subtree_of(path: str) -> str:
    if path and not asked.SUBTREE.fullmatch(path):
        raise WrongUse(f"--path must be a location path such as /1/2/95/; got {path[:80]!r}.")
    return path


def shape_of(options: Mapping[str, Any]) -> Shape:
    fields, variation = comma_list(options["fields"]), options["image"].strip()
    if len(fields) > asked.MAX_FIELDS:
        raise WrongUse(f"--fields takes at most {asked.MAX_FIELDS} names; got {len(fields)}.")
    known = sorted(settings.IMAGE_VARIATIONS)
    if variation and variation not in known:
        raise WrongUse(
            f"--image: there is no image variation {variation[:80]!r}.{did_you_mean(variation, known)} "
            f"Configured: {', '.join(known) or 'none'}."
        )
    return Shape(fields=frozenset(fields) or None, variation=variation)


def license_key(options: Mapping[str, Any]) -> str:
    """The key from wherever it was given, "" if nowhere."""
    if name := options["license_key_env"]:
        if not os.environ.get(name):
            raise WrongUse(f"--license-key-env names {name!r}, which is not set in the environment.")
        return os.environ[name].strip()
    if path := options["license_key_file"]:
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUse(f"--license-key-file {path!r} cannot be read: {error}.") from error
    given: str = options["license_key"]
    return given.strip()


def whole(option: str, raw: str | int, *, most: int) -> int:
    text = str(raw)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise WrongUse(f"{option} must be a whole number from 1 to {most}; got {text[:80]!r}.")
    return int(text)


def refuse_bad_address(option: str, value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise WrongUse(f"{option} must be an http or https address without a login; got {value[:80]!r}.")


def forgotten_sites(order: Order) -> list[str]:
    """Sites of the same customer, beside those that are exported, of which an engine loses items."""
    exported = order.target.sites
    roots = {site_access.wagtail_site_id(site) for site in exported}
    return [
        site.name
        for site in site_access.configured_sites()
        if site.customer_id == order.target.customer_id
        and site not in exported
        and site_access.wagtail_site_id(site) not in {None, *roots}
        and any(shares_items(site, other) for other in exported)
    ]


def shares_items(one: SiteAccess, other: SiteAccess) -> bool:
    """Whether both export items of some type in some language."""
    types = set(one.included_item_types) & set(other.included_item_types)
    everywhere = not one.languages or not other.languages
    return bool(types) and (everywhere or bool(set(one.languages) & set(other.languages)))


def warnings_of(order: Order, options: Mapping[str, Any]) -> Iterator[str]:
    """What the asked export does that one might not expect."""
    if order.subtree.strip("/"):
        yield (
            f"Only items below {order.subtree} are exported. An engine takes a full export for all there is: "
            "it forgets the other items of these types and languages."
        )
    if left_out := forgotten_sites(order):
        yield (
            f"Customer {order.target.customer_id} has the content of {', '.join(left_out)} as well, and an "
            "engine takes a full export for all there is: it forgets their items of the same types and "
            "languages. Without --siteaccess they are exported together."
        )
    if options["license_key"]:
        yield "Others can see --license-key in the list of processes; --license-key-env and -file hide it."
    if options["hidden"] == "1":
        yield "Hidden items never leave the site: --hidden 1 exports the same items as --hidden 0."

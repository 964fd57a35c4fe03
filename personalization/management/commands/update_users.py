"""``manage.py update_users``: tell engines what the project knows of its users."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from config import site_access
from config.site_access import SiteAccess, UnknownSite
from personalization.client import users
from personalization.client.errors import EngineError
from personalization.client.users import WrongAttribute, send, xml

FAILED, WRONG_USE = 1, 2
NOTHING = (
    "{why} A function with @user_attributes says what the project knows of its users; docs/own-site.md has "
    "an example. (Property xmlBody is not defined.)"
)


class Command(BaseCommand):
    help = "Send the attributes of users to the engines of the sites file, under the source that tells them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--site", default="", help="site of the sites file; default: one site per customer"
        )
        parser.add_argument("--source", help="only this source; default: all that the project tells")
        parser.add_argument("--dry-run", action="store_true", help="print the XML and send nothing")
        parser.add_argument("--json", action="store_true", help="print a summary as JSON")
        parser.add_argument(
            "--show",
            metavar="ID",
            action="append",
            default=[],
            help="print what the engine knows of this user",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["source"] == "":
            raise CommandError("Property source is not defined", returncode=WRONG_USE)
        try:
            sites = chosen(options["site"])
            report = [self.of_site(site, options) for site in sites]
        except (UnknownSite, ImproperlyConfigured) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except (EngineError, WrongAttribute) as error:
            raise CommandError(str(error), returncode=FAILED) from error
        if options["show"]:
            return
        if not any(entry["users"] for entry in report):
            raise CommandError(NOTHING.format(why=why(options["source"], sites)), returncode=FAILED)
        self.conclude(report, options)

    def of_site(self, site: SiteAccess, options: dict[str, Any]) -> dict[str, Any]:
        """Send one source after the other; say how many users and documents went out."""
        sources = [options["source"]] if options["source"] else users.sources_of(site)
        if options["show"] and not sources:
            raise CommandError(
                "The project tells nothing of its users, so there is no source to ask for. Name one with "
                "--source.",
                returncode=WRONG_USE,
            )
        entry: dict[str, Any] = {"site": site.name, "customer": site.customer_id, "users": 0, "documents": 0}
        for source in sources if not options["show"] else ():
            for count, document in xml.documents(users.users_of(site, source=source)):
                self.out(document) if options["dry_run"] else send.send(site, document, source=source)
                entry["users"] += count
                entry["documents"] += 1
        for source in sources if options["show"] else ():
            self.out(send.fetch(site, options["show"], source=source))
        return entry

    def out(self, document: bytes) -> None:
        self.stdout.write(document.decode("utf-8", "replace"))

    def conclude(self, report: list[dict[str, Any]], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(orjson.dumps({"updates": report}).decode())
        elif not options["dry_run"]:
            say: Callable[[str], Any] = self.stdout.write
            for entry in report:
                counts = f"{entry['users']} users in {entry['documents']} requests"
                say(f"Customer {entry['customer']}: {counts}.")
            say(self.style.SUCCESS("User attributes updated successfully!"))


def chosen(name: str) -> list[SiteAccess]:
    """The named site, or the first of each customer: sites that share one share its users."""
    if name:
        return [site_access.site_named(name)]
    sites = {site.customer_id: site for site in reversed(site_access.configured_sites())}
    if not sites:
        raise UnknownSite("No site of the sites file has credentials of an engine.")
    return list(reversed(sites.values()))


def why(source: str | None, sites: list[SiteAccess]) -> str:
    known = dict.fromkeys(name for site in sites for name in users.sources_of(site))
    if not source or not known:
        return "The project tells of no user."
    if source in known:
        return f"The source {source!r} tells of no user."
    return (
        f"The project tells of no user under the source {source[:80]!r}; its sources are {', '.join(known)}."
    )

"""Bring the read model up to date."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from config import site_access
from config.site_access.scopes import did_you_mean
from content.items.queries import UnknownRoot, host_names, known_sites, site_for
from content.items.rebuild import Progress as Report
from content.items.rebuild import UnknownItemType, rebuild

WRONG_USE = 2


class Command(BaseCommand):
    help = "Write every item that differs from its stored row. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--site", help="name in the sites file, or host name, host:port or id of a Wagtail site (all)"
        )
        parser.add_argument("--type", action="append", dest="types", help="Item type; may be repeated.")
        parser.add_argument("--quiet", action="store_true", help="Show no progress.")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")
        parser.add_argument(
            "--no-announce",
            action="store_true",
            help="Tell engines nothing about the changes; a full export must follow.",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            site_id = None if options["site"] is None else chosen(options["site"])
            with _shown(quiet=options["quiet"] or options["json"]) as progress:
                outcome = rebuild(
                    site_id=site_id,
                    item_types=options["types"],
                    announce=not options["no_announce"],
                    progress=progress,
                )
        except (UnknownRoot, UnknownItemType) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(outcome)))
        else:
            self.stdout.write(
                f"Items: {outcome.written} written, {outcome.unchanged} unchanged, {outcome.removed} removed."
            )


def chosen(name: str) -> int:
    """The Wagtail site of an entry of the sites file, else the one that is so named itself."""
    entries = {site.name: site for site in site_access.configured_sites()}
    if name in entries:
        return site_for(entries[name].root)
    try:
        return site_for(name)
    except UnknownRoot as error:
        raise UnknownRoot(
            f"--site {name!r} is neither an entry of the sites file nor a Wagtail site ({known_sites()})."
            f"{did_you_mean(name, [*entries, *host_names()])}"
        ) from error


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Report | None]:
    """Yield what shows progress: a bar in a terminal, nothing but the summary in a pipe."""
    if quiet or not sys.stdout.isatty():
        yield None
        return
    with Progress() as bar:
        task = bar.add_task("Items", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

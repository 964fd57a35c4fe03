"""``manage.py config_show [--site NAME] [--json]``: what is in force for a site, and what decided it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.site_access import SitesFileError
from config.site_access.show import NoSuchSite, Setting, all_sites, old_names, settings_of


class Command(BaseCommand):
    help = "Print the effective settings of a site and where each comes from; secrets are not shown."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="a name in the sites file; all of them when left out")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        path = Path(settings.LODESTAR_SITES_FILE)
        try:
            names = [options["site"]] if options["site"] is not None else all_sites(path)
            shown = {name: settings_of(path, name) for name in names}
            notes = old_names(path)
        except (SitesFileError, NoSuchSite) as error:
            raise CommandError(str(error), returncode=2) from None
        if options["json"]:
            sites = {name: {one.key: asdict(one) for one in found} for name, found in shown.items()}
            self.stdout.write(json.dumps({"file": str(path), "sites": sites, "notes": notes}, indent=2))
            return
        for name, found in shown.items():
            self.stdout.write(self.style.MIGRATE_HEADING(f"{name} in {path}"))
            for line in table(found):
                self.stdout.write(f"  {line}")
        for note in notes:
            self.stdout.write(self.style.WARNING(note))


def table(found: list[Setting]) -> list[str]:
    width = max(len(one.key) for one in found)
    values = [json.dumps(one.value, ensure_ascii=False) for one in found]
    wide = min(48, max(len(value) for value in values))
    return [
        f"{one.key:<{width}}  {value:<{wide}}  {one.source}" for one, value in zip(found, values, strict=True)
    ]

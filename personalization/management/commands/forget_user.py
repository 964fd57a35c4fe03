"""``manage.py forget_user``: have an engine elsewhere forget a user."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import site_access
from config.http import is_own
from config.site_access import UnknownSite
from personalization.client.errors import EngineError
from personalization.client.users import WrongAttribute, send

FAILED, WRONG_USE = 1, 2


class Command(BaseCommand):
    help = "Have the engine of a site forget users: their events, attributes and profiles (opt-out)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", required=True, help="site of the sites file")
        parser.add_argument(
            "--user-id", action="append", required=True, help="account or visitor; repeatable"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            site = site_access.site_named(options["site"])
            if is_own(site.admin_endpoint):
                raise CommandError(
                    f"The engine of {site.name} is this installation: "
                    f"`manage.py erase_user --customer {site.customer_id} --user ID` forgets a user here.",
                    returncode=WRONG_USE,
                )
            status = send.forget(site, options["user_id"])
        except (UnknownSite, WrongAttribute) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except EngineError as error:
            raise CommandError(
                f"{error} Nothing is known to be forgotten; run this again.", returncode=FAILED
            ) from error
        self.stdout.write(
            f"The engine of customer {site.customer_id} forgets {len(options['user_id'])} users ({status})."
        )

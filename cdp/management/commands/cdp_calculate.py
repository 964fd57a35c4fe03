"""``manage.py cdp_calculate``: bring the members of audiences to who fits (reference `cdp.md` 3.4, 9.3)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from cdp.audiences import schedule
from cdp.audiences.calculate import calculate
from cdp.audiences.conditions import moments
from cdp.audiences.faults import Busy, CannotCalculate
from cdp.audiences.models import Audience, AudienceRun

FAILED, WRONG_USE, RUNNING = 1, 2, 4


class Command(BaseCommand):
    help = "Calculate audiences: who joined and who left since the last time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=int, metavar="NUMBER", help="only those of this account")
        parser.add_argument("--audience", metavar="IDENTIFIER", help="this one")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--due", action="store_true", help="those whose turn has come")
        which.add_argument("--all", action="store_true", help="all, whatever their turn")
        parser.add_argument(
            "--as-of",
            metavar="MOMENT",
            help="as they were then, such as 2025-05-01T12:00:00Z; by default now",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        audiences = self.chosen(options)
        trigger = AudienceRun.Trigger.SCHEDULE if options["due"] else AudienceRun.Trigger.MANUAL
        worst = 0
        for audience in audiences:
            moment = moment_of(options["as_of"], audience)
            worst = self.one(audience, as_of=moment, trigger=trigger) or worst
        self.stdout.write(f"{len(audiences)} audiences.")
        if worst:
            raise CommandError("Not every audience was calculated; see above.", returncode=worst)

    def chosen(self, options: dict[str, Any]) -> list[Audience]:
        rows = schedule.of_all()
        if options["account"] is not None:
            rows = rows.filter(account__number=options["account"])
            if not rows.exists():
                raise wrong(f"Account {options['account']} has no audience.")
        if options["audience"]:
            rows = rows.filter(identifier=options["audience"])
            if not rows.exists():
                raise wrong(f"There is no audience {options['audience'][:80]!r}.")
        elif not options["due"] and not options["all"]:
            raise wrong("Name an --audience, or say --due or --all.")
        return schedule.due(rows=rows) if options["due"] else list(rows)

    def one(self, audience: Audience, *, as_of: datetime | None, trigger: AudienceRun.Trigger) -> int:
        """Calculate it and say what came of it; the exit code."""
        about = f"{audience.account.number} {audience.identifier}"
        try:
            run = calculate(audience, as_of=as_of, trigger=trigger)
        except Busy as busy:
            self.stderr.write(f"{about}: {busy}")
            return RUNNING
        except CannotCalculate as fault:
            self.stderr.write(f"{about}: {fault}")
            return FAILED
        self.stdout.write(f"{about}: {run.count} members, {run.joined} joined, {run.left} left")
        return 0


def moment_of(text: str | None, audience: Audience) -> datetime | None:
    if text is None:
        return None
    try:
        return moments.parsed(text, ZoneInfo(audience.account.time_zone))
    except (ValueError, OverflowError):
        raise wrong(f"--as-of must be a date or a date-time; got {text[:80]!r}.") from None


def wrong(text: str) -> CommandError:
    return CommandError(text, returncode=WRONG_USE)

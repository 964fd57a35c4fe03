"""``manage.py evaluate``: how good the learners are on events that they did not see."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from personalization.server.evaluation import run
from personalization.server.evaluation.tables import WrongTable

WRONG_USE = 2


class Command(BaseCommand):
    help = "Learn from one part of a history, recommend, and compare with the other part."

    def add_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        people = tasks.add_parser("topn", help="lists for people with a history")
        people.add_argument(
            "--train", type=Path, required=True, metavar="FILE", help="Parquet with the columns user, item"
        )
        people.add_argument(
            "--test",
            type=Path,
            required=True,
            metavar="FILE",
            help="the same, of later: who is asked, and truth",
        )
        visits = tasks.add_parser("sessions", help="what comes next in a visit")
        visits.add_argument(
            "--train",
            type=Path,
            required=True,
            metavar="FILE",
            help="Parquet with the columns session, position, item; session numbers rise with time",
        )
        visits.add_argument(
            "--test-prefix", type=Path, required=True, metavar="FILE", help="the same: beginnings of visits"
        )
        visits.add_argument(
            "--test-next", type=Path, metavar="FILE", help="columns session, next_item: what followed each"
        )
        for one in (people, visits):
            one.add_argument("--k", type=int, default=20, help="places of a list (20)")
            one.add_argument("--output", type=Path, metavar="FILE", help="write the lists as Parquet")
            one.add_argument("--no-tuning", action="store_true", help="use the default settings")
            one.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not 1 <= options["k"] <= run.LONGEST:
            raise CommandError(
                f"--k must be from 1 to {run.LONGEST}; got {options['k']}.", returncode=WRONG_USE
            )
        given = {"most": options["k"], "output": options["output"], "tune": not options["no_tuning"]}
        try:
            if options["task"] == "topn":
                report = run.lists_for_people(options["train"], options["test"], **given)
            else:
                report = run.lists_for_visits(
                    options["train"], options["test_prefix"], nexts=options["test_next"], **given
                )
        except WrongTable as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(report.document()).decode())
        else:
            self.say(report, most=options["k"])

    def say(self, report: run.Report, *, most: int) -> None:
        say = self.stdout.write
        say("  ".join(f"{name} {count:,}" for name, count in report.data.items()))
        say("Settings: " + ", ".join(f"{name} {value:g}" for name, value in report.settings.items()))
        for name, value in report.figures.items():
            say(f"{name.replace('_', ' ')} at {most}: {value:.4f}")
        say(
            f"Training {report.training_cpu_seconds:,} CPU-seconds, choosing the settings "
            f"{report.tuning_cpu_seconds:,}; {report.lists_per_second:,.0f} lists/s; "
            f"at most {report.peak_megabytes:,.0f} MB."
        )

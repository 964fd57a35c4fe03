"""``manage.py evaluate``: how good the learners are on events that they did not see."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from personalization.management.customer import known_customer
from personalization.server.building import NoEvents
from personalization.server.evaluation import reports, run
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
        ours = tasks.add_parser("customer", help="lists for people of a customer, by its own tracked events")
        ours.add_argument("--customer", required=True, metavar="N", help="customer of the embedded engine")
        ours.add_argument("--signal", default="click", help="event code to learn and to look for (click)")
        ours.add_argument("--days", type=float, default=90.0, help="how far back to read (90)")
        ours.add_argument("--later", type=float, default=0.2, help="share of them that is held back (0.2)")
        for one in (people, visits, ours):
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
            if options["task"] == "customer":
                report = self.of_customer(options)
            elif options["task"] == "topn":
                report = run.lists_for_people(options["train"], options["test"], **given)
            else:
                report = run.lists_for_visits(
                    options["train"], options["test_prefix"], nexts=options["test_next"], **given
                )
        except (WrongTable, NoEvents) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(report.document()).decode())
        else:
            self.say(report, most=options["k"])

    def of_customer(self, options: dict[str, Any]) -> run.Report:
        """The report, which is kept for the back office, too."""
        customer, share = known_customer(options["customer"]).customer_id, options["later"]
        if not 0 < share < 1 or not 0 < options["days"] <= reports.MOST_DAYS:
            raise CommandError(
                f"--later must lie between 0 and 1, --days between 0 and {reports.MOST_DAYS:,}.",
                returncode=WRONG_USE,
            )
        asked = reports.Asked(
            signal=options["signal"],
            days=options["days"],
            later=share,
            places=options["k"],
            tune=not options["no_tuning"],
        )
        return run.Report(**reports.evaluate(customer, asked, output=options["output"]).report)

    def say(self, report: run.Report, *, most: int) -> None:
        say = self.stdout.write
        say("  ".join(f"{name} {count:,}" for name, count in report.data.items()))
        say("Settings: " + ", ".join(f"{name} {value:g}" for name, value in report.settings.items()))
        for name, value in report.figures.items():
            beside = ", ".join(f"{other} {one[name]:.4f}" for other, one in report.baselines.items())
            say(f"{name.replace('_', ' ')} at {most}: {value:.4f}{f' ({beside})' if beside else ''}")
        say(
            f"Training {report.training_cpu_seconds:,} CPU-seconds, choosing the settings "
            f"{report.tuning_cpu_seconds:,}; {report.lists_per_second:,.0f} lists/s; "
            f"at most {report.peak_megabytes:,.0f} MB."
        )

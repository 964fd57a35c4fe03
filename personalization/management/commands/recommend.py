"""``manage.py recommend``: what a scenario recommends to somebody, and why."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict

from config.customers import directory
from config.customers.directory import CustomerAccount
from personalization.server import plans
from personalization.server.api.answers import Refusal
from personalization.server.api.parameters import asked
from personalization.server.recommend import Answer, Explained, NothingToGoOn, Recommended, recommend

WRONG_USE = 2


class Command(BaseCommand):
    help = "Ask the embedded engine as the recommendation API does, and explain its answer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, metavar="N", help="customer of the embedded engine")
        parser.add_argument("--scenario", required=True, metavar="NAME", help="such as front")
        parser.add_argument(
            "--user", default="not_defined", metavar="ID", help="user id as in events (nobody)"
        )
        parser.add_argument(
            "--query",
            default="",
            metavar="TEXT",
            help="parameters of the API, such as contextitems=7&numrecs=5",
        )
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        account = directory.find(options["customer"])
        if account is None:
            raise CommandError(f"The customer {options['customer'][:64]!r} is unknown.", returncode=WRONG_USE)
        answer = self.answer(account, options)
        if options["json"]:
            self.stdout.write(orjson.dumps(document(answer)).decode())
        else:
            self.stdout.write("\n".join(lines(answer)))

    def answer(self, account: CustomerAccount, options: dict[str, Any]) -> Answer:
        try:
            plan = plans.plan_for(account.customer_id, options["scenario"], options["user"])
            given = asked(
                QueryDict(options["query"]),
                plan=plan,
                customer_id=account.customer_id,
                user=options["user"],
                alphanumeric=account.alphanumeric_items,
            )
            return recommend(given.request, plan, explain=True)
        except (plans.UnknownScenario, Refusal) as fault:
            raise CommandError(str(fault), returncode=WRONG_USE) from None
        except NothingToGoOn:
            raise CommandError(
                "Every model lacks its input: name contextitems, or a user with a history.", returncode=1
            ) from None


def document(answer: Answer) -> dict[str, Any]:
    """Items in order, each with its model and the items it follows from; and what became of each model."""
    return {
        "items": [
            {
                "type": one.key[0],
                "id": one.key[1],
                "name": name_of(one),
                "model": one.model.identifier,
                "because_of": [[*seed.key, seed.source] for seed in one.seeds[:3]],
            }
            for one in answer.items
        ],
        "models": [
            {
                "level": one.level,
                "model": one.model,
                "looked_at": one.found,
                "lacked": one.lacked,
                "taken_out": dict(one.tally),
            }
            for one in answer.explained
        ],
    }


def name_of(one: Recommended) -> str:
    told = {key: value for key, _kind, value in one.row.attributes()} if one.row else {}
    return told.get("title") or told.get("name") or ""


def lines(answer: Answer) -> list[str]:
    told = [f"{len(answer.items)} items"]
    for place, one in enumerate(answer.items, 1):
        because = ", ".join(f"{seed.key[0]}/{seed.key[1]} ({seed.source})" for seed in one.seeds[:3])
        told.append(
            f"{place:>4}. {one.key[0]}/{one.key[1]}  {name_of(one)[:50]}  by {one.model.identifier}"
            + (f", because of {because}" if because else "")
        )
    return [*told, "Models", *map(of_model, answer.explained)]


def of_model(one: Explained) -> str:
    level = "primary" if one.level == 0 else f"fallback {one.level}"
    if one.lacked:
        return f"  {level}: {one.model} was not asked: {one.lacked}"
    out = ", ".join(f"{name} {count:,}" for name, count in one.tally.most_common())
    return f"  {level}: {one.model} gave {one.found}" + (f"; taken out by {out}" if out else "")

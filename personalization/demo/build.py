"""Everything `manage.py demo` sets up, step by step, each with a name for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from config import site_access
from config.jobs import queue
from content.demo import build as site_content
from content.items import queries
from content.items.rebuild import rebuild
from personalization.demo import owned
from personalization.demo.history import store_history
from personalization.demo.login import LOGIN, PASSWORD
from personalization.demo.visitors import Plan
from tracking import lake

PLANS = {"10101": Plan(visitors=1500, seed=2026), "10102": Plan(visitors=900, seed=2027)}

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Step:
    title: str
    run: Callable[[Report], str]


_further: list[Step] = []


def register(step: Step) -> None:
    """Add a step of a part above; it runs behind the login and before the visitors."""
    _further.append(step)


def steps() -> list[Step]:
    return [
        Step(title="Creating the databases", run=migrate),
        Step(title="Building the site", run=build_site),
        Step(title="Creating the login", run=create_login),
        *_further,
        Step(title="Simulating 30 days of visitors", run=simulate_visitors),
        Step(title="Exporting to the engine", run=export),
        Step(title="Building the models", run=build_models),
    ]


def build(begin: Callable[[str], Report], done: Callable[[str], None]) -> None:
    """Run every step. ``begin(title)`` returns where the step reports to, ``done(outcome)`` closes it."""
    owned.begin()
    for step in steps():
        done(step.run(begin(step.title)))
    owned.complete()


def migrate(_report: Report) -> str:
    call_command("migrate", verbosity=0, interactive=False)
    return "ready"


def build_site(report: Report) -> str:
    site_content.build(lambda what, now, total: report(f"{what} {now}/{total}"))
    rebuild(announce=False, progress=lambda now, total: report(f"Items {now}/{total}"))
    site_id = queries.site_for("")
    return f"{queries.count(site_id)} items in {len(queries.languages(site_id))} languages"


def create_login(_report: Report) -> str:
    users = get_user_model()
    if not users.objects.filter(username=LOGIN).exists():
        users.objects.create_superuser(LOGIN, "admin@example.org", PASSWORD)
    return LOGIN


def simulate_visitors(report: Report) -> str:
    now = timezone.now()
    stored = 0
    for site in site_access.configured_sites():
        report(site.name)
        plan = PLANS.get(str(site.customer_id), Plan())
        stored += store_history(site, until=now, plan=plan)
    return f"{stored} events"


def export(report: Report) -> str:
    """The full export of every site, over the engine's HTTP contract as always."""
    report("every site")
    call_command("run_export", quiet=True)
    queue.run_due()
    sites = site_access.configured_sites()
    return f"{len(sites)} sites"


def build_models(report: Report) -> str:
    lake.archive()
    customers = sorted({str(site.customer_id) for site in site_access.configured_sites()})
    for customer_id in customers:
        report(f"customer {customer_id}")
        call_command("build_models", customer=customer_id, stdout=StringIO())
        queue.run_due()
    return f"for {len(customers)} customers"

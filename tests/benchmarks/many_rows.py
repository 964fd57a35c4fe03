"""Ten thousand rows for each list of the back office; run inside an installation by `bench_back_office`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import models
from django.utils import timezone

CUSTOMER = "10101"


# A choice among these is part of other lists, and nobody chooses among 10,000.
CHOICES = ("Audience", "Schema")


def fill(count: int, *, choices: bool) -> None:
    """Make ``count`` rows of each table behind a list: of those that are choices elsewhere, or others."""
    for model, row in tables():
        if (model.__name__ in CHOICES) is choices:
            model._default_manager.bulk_create((model(**row(n)) for n in range(count)), batch_size=500)


def tables() -> Iterable[tuple[type[models.Model], Callable[[int], dict[str, Any]]]]:
    from cdp.activations.models import Activation
    from cdp.audiences.models import Audience
    from cdp.dataflows.models import Dataflow, Run, Schema
    from cdp.models import WebhookRequest
    from cdp.profiles.models import Insight, Profile
    from config.jobs.models import Outbox
    from personalization.client.models import AccessToken, ExportRun
    from personalization.server.models import Scenario, ScenarioTest, StoredItem

    account = own_account()
    now = timezone.now()
    rule = {"type": "have", "attribute": "country", "op": "eq", "value": "FR"}
    top = {"type": "group", "op": "and", "not": False, "children": [rule]}
    yield StoredItem, lambda n: {
        "customer_id": CUSTOMER, "item_type": 39, "item_id": f"many-{n}",
        "attributes": [["name", "", f"N{n}"]], "added_at": now, "updated_at": now,
    }  # fmt: skip
    model = Scenario.objects.get(customer_id=CUSTOMER, identifier="popular")
    yield Scenario, lambda n: {
        "customer_id": CUSTOMER, "identifier": f"many_{n}", "name": f"Many {n}",
        "output_types": model.output_types, "strategy": model.strategy, "filters": model.filters,
    }  # fmt: skip
    yield ScenarioTest, lambda n: {
        "customer_id": CUSTOMER, "scenario_a": "popular", "scenario_b": "front",
        "starts_at": now - timedelta(days=n + 9), "ends_at": now - timedelta(days=n + 8),
    }  # fmt: skip
    yield ExportRun, lambda n: {
        "customer_id": CUSTOMER, "site_name": "site_en", "folder": f"many{n}", "phase": "done", "items": n,
    }  # fmt: skip
    yield Outbox, lambda n: {"kind": "many", "key": f"many-{n}", "customer_id": CUSTOMER, "state": "done"}
    yield AccessToken, lambda n: {
        "customer_id": CUSTOMER, "digest": f"{n:064x}", "expires_at": now + timedelta(days=1)
    }  # fmt: skip
    yield Profile, lambda n: {"account": account, "attributes": {"country": "FR", "name": f"Person {n}"}}
    yield (
        Schema,
        lambda n: {"account": account, "name": f"Many {n}", "kind": "personal", "identifier": "userid"},
    )
    yield Dataflow, lambda n: {"account": account, "name": f"Many {n}"}
    flow, _is_new = Dataflow.objects.get_or_create(account=account, name="With many runs")
    yield Run, lambda n: {"dataflow": flow, "kind": "production", "state": "succeeded", "received": n}
    yield Audience, lambda n: {
        "account": account, "name": f"Many {n}", "identifier": f"many_{n}", "definition": top
    }  # fmt: skip
    yield Activation, lambda n: {
        "account": account, "name": f"Many {n}", "kind": "csv", "person_identifier": "userid",
        "state": "paused",
    }  # fmt: skip
    yield WebhookRequest, lambda n: {
        "client_id": "demo-site", "request_id": f"many-{n}", "sha256": uuid4().hex * 2,
        "actions": 1, "status": 200, "answer": {"status": "applied"},
    }  # fmt: skip
    yield Insight, lambda n: {
        "account": account, "code": "run_failed", "subject": str(n), "message": f"Run {n} failed."
    }  # fmt: skip


def own_account() -> Any:
    from cdp.profiles.models import Account

    return Account.objects.get_or_create(number=123456, defaults={"name": "Demo"})[0]

"""An account, and a dataflow of users that is mapped to a schema as the walkthrough does it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from cdp.dataflows import editing, lifecycle, mapping, schemas, stages, stream_ids, trial
from cdp.dataflows.configuration import Transformation
from cdp.dataflows.models import Dataflow, Run, Schema
from cdp.dataflows.schemas import FieldSpec
from cdp.profiles import accounts, people
from cdp.profiles.identifiers import normal, unseal
from cdp.profiles.models import Account, Profile, ProfileIdentifier
from config.jobs import queue as jobs

USERS = [
    {"id": 14, "login": "ada", "email": "ada@example.org", "city": "Oslo"},
    {"id": 15, "login": "bob", "email": "bob@example.org", "city": "Bergen"},
]


@pytest.fixture
def account(sites: Path, db: None) -> Account:
    return accounts.create(123456, name="Shop")


class Feed:
    """A dataflow, and a source that delivers into it over HTTP."""

    def __init__(self, account: Account, name: str = "Users") -> None:
        self.account = account
        self.flow = lifecycle.create(account, name=name)
        self.stream_id = stream_ids.stream_id(self.flow)
        self.client = Client()

    def post(
        self,
        rows: Any,
        *,
        draft: bool = False,
        run: uuid.UUID | None = None,
        sequence: int | None = None,
        final: bool = False,
        content_type: str = "application/json",
        account: int | None = None,
        **headers: str,
    ) -> Any:
        sent = {"x-streamid": self.stream_id} | headers
        if draft:
            sent["x-isdraft"] = "true"
        if run is not None:
            sent |= {"x-run-id": str(run), "x-run-sequence": str(sequence or 0)}
        if final:
            sent["x-run-final"] = "true"
        body = rows if isinstance(rows, bytes) else orjson.dumps(rows)
        return self.client.post(
            f"/stream/{account or self.account.number}", body, content_type=content_type, headers=sent
        )

    def prepare(
        self,
        rows: Any = USERS,
        *,
        mode: str = "append",
        kind: str = "personal",
        mandatory: tuple[str, ...] = (),
        ignore_missing: bool = False,
        transformations: tuple[Transformation, ...] = (),
        **options: Any,
    ) -> Schema:
        """Stages 2 to 4: draft, validate, a schema of all columns, mapped by name and `userid` from `id`."""
        assert self.post(rows, draft=True).status_code == 202
        self.refresh()
        editing.validate(self.flow)
        columns = [
            one.model_copy(update={"mandatory": one.name in mandatory})
            for one in stages.in_hand(self.flow).columns
        ]
        editing.set_columns(self.flow, columns, ignore_missing=ignore_missing)
        schema = self.schema(kind=kind, **options)
        self.map(schema, mode=mode, transformations=transformations)
        return schema

    def schema(self, *, kind: str = "personal", name: str = "", **options: Any) -> Schema:
        columns = stages.in_hand(self.flow).columns
        fields = [FieldSpec(one.name, one.type) for one in columns if one.type != "object"]
        given = {"identifier": "" if kind == "catalog" else "userid"} | options
        return schemas.create(
            self.account, name=name or f"{kind} of {self.flow.name}", kind=kind, fields=fields, **given
        )

    def map(
        self, schema: Schema, *, mode: str = "append", transformations: tuple[Transformation, ...] = ()
    ) -> None:
        editing.set_transformations(self.flow, transformations)
        types = mapping.column_types(stages.in_hand(self.flow))
        filled = mapping.proposed(schema, list(types))
        fields = dict(filled.fields)
        if schema.identifier and schema.identifier not in fields:
            fields[schema.identifier] = "id"
        write_mode = None if schema.kind == Schema.Kind.INTERACTION else mode
        update = {"fields": fields, "write_mode": write_mode}
        editing.set_mappings(self.flow, [filled.model_copy(update=update)])

    def activate(self) -> None:
        assert trial.test(self.flow).passed
        lifecycle.activate(self.flow)
        self.work()

    def deliver(self, rows: Any, **options: Any) -> Run:
        """Send a whole run and have the worker process it."""
        answer = self.post(rows, **options)
        assert answer.status_code == 202, answer.content
        self.work()
        return Run.objects.get(number=answer.json()["run"])

    def work(self) -> None:
        jobs.run_due()
        self.refresh()

    def refresh(self) -> None:
        self.flow.refresh_from_db()

    def facts(self) -> dict[str, dict[str, Any]]:
        """Attributes of every person that has a user id."""
        names = ProfileIdentifier.objects.filter(account=self.account, kind="userid").exclude(sealed="")
        known = {name: self.person(name) for name in map(unseal, names.values_list("sealed", flat=True))}
        return {name: dict(one.attributes) for name, one in known.items() if one is not None}

    def person(self, user: Any) -> Profile | None:
        return people.find(self.account, "userid", normal("userid", user))


@pytest.fixture
def feed(account: Account) -> Feed:
    return Feed(account)


@pytest.fixture
def active(feed: Feed) -> Feed:
    feed.prepare()
    feed.activate()
    return feed


def status(feed: Feed) -> str:
    return str(Dataflow.objects.get(pk=feed.flow.pk).status)

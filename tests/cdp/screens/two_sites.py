"""Two sites with a customer and an account each, and a row of every kind for both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone
from wagtail.models import GroupSitePermission, Page, Site

from cdp.activations.models import Activation, SentRequest
from cdp.dataflows.models import Run
from cdp.models import WebhookRequest
from cdp.profiles import accounts
from cdp.profiles.models import Account, ErasureTicket, Insight, PersonIdentifier, Profile, ProfileMerge
from config import site_access
from config.customers.models import Customer
from config.jobs.models import Outbox, State
from personalization.client.models import AccessToken, ExportRun
from personalization.segments import changes as segments
from personalization.segments.models import Segment, SegmentGroup
from personalization.server.defaults import ensure_defaults
from personalization.server.models import ImportRun, Model, Scenario, ScenarioTest, StoredItem
from tests.cdp.activations import made
from tests.cdp.dataflows.conftest import Feed
from tests.personalization.screens import reported
from tests.personalization.server import made as engine
from tracking.models import Erasure

HOST = "two.example.org"
SITES = """
personalization:
  system:
    one:
      authentication: {customer_id: 501, license_key: 1-2-3-4-5}
      cdp: {account_number: 123456}
    two:
      root: two.example.org
      authentication: {customer_id: 9150272, license_key: 5-4-3-2-1}
      cdp: {account_number: 222222}
"""


def written(folder: Path, settings: Any) -> None:
    """The sites file, and the second of Wagtail's sites beside the one that is there."""
    path = folder / "two_sites.yaml"
    path.write_text(SITES)
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    root = Page.objects.filter(depth=2).first() or Page.get_first_root_node()
    Site.objects.create(hostname=HOST, port=80, root_page=root, site_name="Two")


class Side:
    """Everything of one site. ``keys``: name of an address -> its parts."""

    def __init__(self, customer_id: str, number: int) -> None:
        self.customer_id = customer_id
        self.account = accounts.create(number, name=f"Account {number}")
        self.named = f"of {number}"  # stands in the name of every row
        self.keys: dict[str, list[Any]] = {}
        self.of_the_engine()
        self.of_customer_data(self.account)

    def of_the_engine(self) -> None:
        mine = {"customer_id": self.customer_id}
        engine.stored(self.customer_id, {1: {}, 2: {}})
        ensure_defaults(self.customer_id)
        models = Model.objects.filter(**mine)
        models.update(name=f"Model {self.named}")
        scenarios = Scenario.objects.filter(**mine)
        scenarios.update(name=f"Scenario {self.named}")
        listed = models.filter(kind="editorial_list").first() or models.first()
        model, item = models.first(), StoredItem.objects.filter(**mine).first()
        scenario, other = scenarios.order_by("pk")[:2]
        assert model and item  # noqa: PT018 - for the type checker
        assert listed
        row = Customer.objects.create(**mine, name=f"Customer {self.named}", license_key_digest="-")
        imported = ImportRun.objects.create(**mine, action="FULL", item_type=38, type_name=self.named)
        exported = ExportRun.objects.create(**mine, site_name=self.named, folder=self.named)
        message = Outbox.objects.create(
            **mine, kind="of nobody", key=self.named, state=State.FAILED, payload={}
        )
        token = AccessToken.objects.create(
            **mine, digest=self.customer_id, expires_at=timezone.now() + timedelta(days=1)
        )
        now = timezone.now()
        test = ScenarioTest.objects.create(
            **mine,
            scenario_a=scenario.identifier,
            scenario_b=other.identifier,
            share_b=20,
            starts_at=now - timedelta(hours=3),
            ends_at=now + timedelta(days=7),
        )
        report = reported.stored(self.customer_id)
        for name in ("", "_end", "_take_over"):
            self.keys[f"personalization_test{name}"] = [test.pk]
        self.keys["personalization_test_chart"] = [test.pk, "calls"]
        self.keys["personalization_evaluation:report"] = [report.pk]
        self.keys["personalization_evaluation:chart"] = [report.pk, "quality"]
        for name in ("", "_build"):
            self.keys[f"personalization_model{name}"] = [model.pk]
        self.keys["personalization_model_list"] = [listed.pk]
        self.keys["personalization_scenario"] = self.keys["personalization_preview"] = [scenario.pk]
        erasure = Erasure.objects.create(**mine, receipt=f"E-{self.customer_id}", digits="0" * 8, erased_at=1)
        self.keys["tracking_erasure"] = [erasure.receipt]
        self.keys["personalization_items:inspect"] = [item.pk]
        self.keys["personalization_customers:edit"] = [row.pk]
        self.keys["personalization_imports:inspect"] = [imported.pk]
        for name in ("inspect", "cancel"):
            self.keys[f"personalization_exports:{name}"] = [exported.pk]
        for name in ("inspect", "resend"):
            self.keys[f"personalization_outbox:{name}"] = [message.pk]
        for name in ("inspect", "revoke"):
            self.keys[f"personalization_tokens:{name}"] = [token.pk]

    def of_customer_data(self, account: Account) -> None:
        feed = Feed(account, name=f"Users {self.named}")
        schema = feed.prepare()
        flow = feed.flow.pk
        stages = ("general", "download", "received", "mapping", "transform", "activation")
        for name in ("", *(f"_{stage}" for stage in stages)):
            self.keys[f"cdp_dataflow{name}"] = [flow]
        self.keys["cdp_dataflow_sure"] = [flow, "clone"]
        run = Run.objects.filter(dataflow=feed.flow).first() or Run.objects.create(dataflow=feed.flow)
        self.keys["cdp_dataflow_run"] = self.keys["cdp_dataflow_refused"] = [flow, run.pk]
        self.keys["cdp_schema"], self.keys["cdp_schema_sure"] = [schema.pk], [schema.pk, "clone"]
        kind = PersonIdentifier.objects.create(account=account, name=f"name {self.named}")
        self.keys["cdp_identifier"] = [kind.pk]
        insight = Insight.objects.create(
            account=account, code="run_failed", subject=str(flow), message=f"Insight {self.named}"
        )
        self.keys["cdp_insight"] = [insight.pk]
        self.of_people(account)

    def of_people(self, account: Account) -> None:
        self.person = person = made.person(account, userid=f"person {self.named}")
        Profile.objects.filter(account=account).update(is_listed=True)
        lost = ProfileMerge.objects.create(
            account=account, winner=person.uuid, loser=uuid4(), identifiers=[], reason="manual"
        )
        ticket = ErasureTicket.objects.create(account=account, identifiers=[])
        for name in ("", "_export", "_erase", "_merge"):
            self.keys[f"cdp_profile{name}"] = [person.uuid]
        self.keys["cdp_profile_part"] = [person.uuid, lost.pk]
        self.keys["cdp_erasure"] = [ticket.ticket]
        definition = {
            "type": "group",
            "op": "and",
            "not": False,
            "children": [{"type": "have", "attribute": "city", "op": "eq", "value": "Oslo"}],
        }
        audience = made.audience(account, f"audience_{account.number}", person)
        type(audience).objects.filter(pk=audience.pk).update(
            name=f"Audience {self.named}", definition=definition
        )
        for name in ("", "_history", "_why"):
            self.keys[f"cdp_audience{name}"] = [audience.pk]
        activation = Activation.objects.create(
            account=account, name=f"Activation {self.named}", kind="download", person_identifier="userid"
        )
        now = timezone.now()
        sent = SentRequest.objects.create(
            activation=activation,
            request_id=uuid4(),
            sequence=1,
            audiences=1,
            added=1,
            removed=0,
            state=SentRequest.State.DELIVERED,
            first_at=now,
            last_at=now,
        )
        self.keys["cdp_activation"], self.keys["cdp_activation_request"] = (
            [activation.pk],
            [activation.pk, sent.pk],
        )


def of_all_sites() -> dict[str, list[Any]]:
    """What belongs to no site: segments, and the log of the webhook."""
    group: SegmentGroup = segments.create_group(identifier="ours", name="Ours")
    segment: Segment = segments.create_segment(group, identifier="one", name="One")
    request = WebhookRequest.objects.create(
        client_id="mine", request_id="r1", sha256="", status=200, answer={}
    )
    found: dict[str, list[Any]] = {"cdp_webhook_request": [request.pk]}
    for name in ("edit", "delete"):
        found[f"segments:{name}"], found[f"segment_groups:{name}"] = [segment.pk], [group.pk]
    return found


def member(group: str) -> Client:
    """Somebody of a group."""
    user = User.objects.create_user(group.replace(" ", "-"), "n@example.org", "x" * 12)
    user.groups.add(Group.objects.get(name=group))
    return logged_in(user)


def of_site(site: Site, *permissions: str) -> Client:
    """Somebody with permissions for one site, and none beside."""
    group = Group.objects.create(name=f"Of {site}")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    for name in permissions:
        app_label, codename = name.split(".")
        GroupSitePermission.objects.create(
            group=group,
            site=site,
            permission=Permission.objects.get(content_type__app_label=app_label, codename=codename),
        )
    return member(group.name)


def logged_in(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client

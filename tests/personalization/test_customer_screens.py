"""The form of the back office that makes customers of the embedded engine."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import serializers
from django.core.cache import cache
from django.test import Client
from wagtail.models import ModelLogEntry
from wagtail.users.models import UserProfile

from config.customers.directory import find
from config.customers.models import Customer
from config.site_access import EventGate
from personalization.server.models import Model, StoredItem

pytestmark = pytest.mark.django_db(databases="__all__")

LIST = "/admin/personalization/customers/"
NEW = f"{LIST}new/"
KEY = re.compile(r"\b\d{4}(?:-\d{4}){4}\b")

Login = Callable[..., Client]


@pytest.fixture
def login() -> Login:
    """A client of a user who may enter the back office and has the given permissions, or is a superuser."""

    def make(*codenames: str, superuser: bool = False) -> Client:
        user = User.objects.create_user(f"user-{uuid.uuid4()}", is_superuser=superuser)
        permissions = Permission.objects.filter(codename__in=[*codenames, "access_admin"])
        assert len(permissions) == len(codenames) + 1
        user.user_permissions.set(permissions)
        client = Client(headers={"host": "localhost"})
        client.force_login(user)
        return client

    return make


@pytest.fixture
def boss(login: Login) -> Client:
    return login(superuser=True)


def filled(**changes: Any) -> dict[str, Any]:
    return {"name": "Shop & Söhne", "kind": "commerce", "once": str(uuid.uuid4())} | changes


def test_it_creates_a_customer_and_shows_its_key_once(
    boss: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = boss.post(NEW, filled(alphanumeric_items="on"))

    page = html.unescape(answer.content.decode())
    row = Customer.objects.get()
    [key] = set(KEY.findall(page))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert (row.name, row.kind, row.alphanumeric_items) == ("Shop & Söhne", "commerce", True)
    assert "will not be shown again" in page
    command = f"PERSONALIZATION_CUSTOMER_ID={row.customer_id} PERSONALIZATION_LICENSE_KEY={key} >> .env.local"
    assert command in page
    account = find(row.customer_id)
    assert account is not None
    assert account.accepts(key)
    # What the command's customers get, this one has too.
    assert Model.objects.filter(customer_id=row.customer_id).exists()
    for again in (LIST, NEW, f"{LIST}results/"):
        assert KEY.search(boss.get(again).content.decode()) is None


def test_it_writes_the_key_nowhere(boss: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    page = boss.post(NEW, filled()).content.decode()
    [key] = set(KEY.findall(page))
    stored = serializers.serialize("json", [*Customer.objects.all(), *ModelLogEntry.objects.all()])

    assert key not in stored
    assert key not in repr(dict(boss.session))
    assert key not in str(boss.cookies)
    assert key not in caplog.text
    [entry] = ModelLogEntry.objects.filter(action="wagtail.create")
    assert entry.label == str(Customer.objects.get())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "   "}, "This field is required."),
        ({"name": "x" * 256}, "at most 255 characters (it has 256)"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"kind": ""}, "This field is required."),
        ({"kind": "charity"}, "charity is not one of the available choices."),
    ],
)
def test_it_says_what_is_wrong_and_creates_nothing(boss: Client, changes: dict[str, str], says: str) -> None:
    answer = boss.post(NEW, filled(**changes))

    page = html.unescape(answer.content.decode())
    assert answer.status_code == 200
    assert says in page
    assert "The customer could not be created due to errors." in page
    assert not KEY.search(page)
    assert not Customer.objects.exists()


def test_it_makes_one_customer_of_a_form_that_is_sent_twice(boss: Client) -> None:
    form = filled()
    boss.post(NEW, form)
    again = boss.post(NEW, form, follow=True)

    page = again.content.decode()
    assert Customer.objects.count() == 1
    assert again.redirect_chain == [(LIST, 302)]
    assert "This form was sent before." in page
    assert not KEY.search(page)
    cache.clear()


def test_it_lists_customers_with_their_items(
    boss: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    for number in range(3):
        boss.post(NEW, filled(name=f"Shop {number}"))
    first = Customer.objects.order_by("pk").first()
    assert first
    StoredItem.objects.bulk_create(
        StoredItem(customer_id=first.customer_id, item_type=1, item_id=str(n), added_at=now, updated_at=now)
        for n in range(1234)
    )
    boss.get(LIST)
    with django_assert_max_num_queries(25):
        page = boss.get(LIST).content.decode()
    assert "1,234" in page
    assert "Commerce" in page
    assert "Lodestar (English)" in page
    found = boss.get(f"{LIST}results/?q=Shop+0").content.decode()
    assert first.customer_id in found
    assert "Shop 1" not in found
    assert boss.get(f"{LIST}?ordering=items").status_code == 200


def test_it_says_what_to_do_when_there_is_none(boss: Client) -> None:
    page = boss.get(LIST).content.decode()
    assert re.search(rf'<a [^>]*href="{NEW}"[^>]*>create the first one</a>', page)


def test_it_lets_those_create_who_have_the_permission(login: Login) -> None:
    client = login("add_customer")

    assert client.get(NEW).status_code == 200
    assert KEY.search(client.post(NEW, filled()).content.decode())
    assert LIST in client.get("/admin/").content.decode()


def test_it_lets_viewers_look_only(login: Login) -> None:
    client = login("view_customer")

    assert "Create customer" not in client.get(LIST).content.decode()
    assert client.post(NEW, filled()).status_code == 403
    assert not Customer.objects.exists()


@pytest.mark.parametrize("codenames", [(), ("delete_customer",), ("view_importrun",)])
def test_it_hides_from_everybody_else(login: Login, codenames: tuple[str, ...]) -> None:
    client = login(*codenames)

    for path in (LIST, NEW, f"{LIST}results/"):
        assert client.get(path).status_code == 403, path
    assert client.post(NEW, filled()).status_code == 403
    assert LIST not in client.get("/admin/").content.decode()
    assert not Customer.objects.exists()


def test_it_shows_nothing_to_visitors() -> None:
    client = Client(headers={"host": "localhost"})

    assert "login" in client.post(NEW, filled())["Location"]
    assert not Customer.objects.exists()


GATE = {
    "events_per_second": "20",
    "needs_license_key": "on",
    "allowed_origins": "https://A.example\nhttp://b.example:80",
    "needs_consent": "on",
}


def test_it_creates_a_customer_with_rules_for_its_events(boss: Client) -> None:
    boss.post(NEW, filled(**GATE))

    account = find(Customer.objects.get().customer_id)
    assert account
    assert account.consent_required
    assert account.gate == EventGate(
        events_per_second=20, needs_license_key=True, origins=("http://b.example", "https://a.example")
    )


def test_it_changes_the_rules_for_events(login: Login) -> None:
    login("add_customer").post(NEW, filled())
    row = Customer.objects.get()
    client, edit = login("change_customer"), f"{LIST}edit/{row.pk}/"

    assert edit in client.get(LIST).content.decode()
    assert edit not in login("view_customer").get(LIST).content.decode()
    page = client.get(edit).content.decode()
    assert "Events need the license key" in page
    assert "Alphanumeric items" not in page
    answer = client.post(edit, GATE, follow=True)

    assert "collectors follow within seconds" in html.unescape(answer.content.decode())
    account = find(row.customer_id)
    assert account
    assert (account.gate.events_per_second, account.gate.origins) == (
        20,
        ("http://b.example", "https://a.example"),
    )
    assert "http://b.example\nhttps://a.example" in client.get(edit).content.decode()
    assert ModelLogEntry.objects.filter(action="wagtail.edit").count() == 1
    client.post(edit, {})
    account = find(row.customer_id)
    assert account
    assert account.gate == EventGate()
    assert not account.consent_required
    assert account.name == "Shop & Söhne"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"events_per_second": "-1"}, "greater than or equal to 0"),
        ({"events_per_second": "10000001"}, "less than or equal to 10000000"),
        ({"allowed_origins": "https://a.example www.b.example"}, "www.b.example is not the origin of pages"),
        ({"allowed_origins": " ".join(f"https://a{n}.example" for n in range(101))}, "At most 100 origins"),
    ],
)
def test_it_says_which_rule_for_events_cannot_be(boss: Client, rule: dict[str, str], says: str) -> None:
    boss.post(NEW, filled())
    row = Customer.objects.get()

    for address, form in ((NEW, filled(**rule)), (f"{LIST}edit/{row.pk}/", rule)):
        assert says in html.unescape(boss.post(address, form).content.decode()), address
    assert Customer.objects.count() == 1
    assert find(row.customer_id).gate == EventGate()  # type: ignore[union-attr]


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_it_lets_nobody_rename_or_delete_customers(boss: Client, action: str) -> None:
    boss.post(NEW, filled())
    row = Customer.objects.get()

    boss.post(f"{LIST}{action}/{row.pk}/", filled(name="Other"))

    assert Customer.objects.get().name == "Shop & Söhne"


def test_it_speaks_french(boss: Client) -> None:
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": "fr"})
    form = html.unescape(boss.get(NEW).content.decode())
    made = html.unescape(boss.post(NEW, filled()).content.decode())
    listed = html.unescape(boss.get(LIST).content.decode())

    assert all(text in form for text in ("Créer un client", "Éditeur", "Éléments alphanumériques"))
    assert all(text in form for text in ("Événements par seconde", "Origines autorisées", "Une par ligne"))
    assert all(
        text in made for text in ("a été créé", "elle ne sera plus affichée", "%env(int:PERSONALIZATION")
    )
    assert all(text in listed for text in ("Numéro du client", "fichier des sites", "Clients"))

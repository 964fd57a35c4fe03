"""Cases of reference `client-protocol.md` 9.8 that concern users.

Case 9-103 is in tests/personalization/weaknesses/test_users.py.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from config.site_access import SiteAccess
from config.spellings import canonical_argv
from personalization.client import recommend, users
from personalization.client.users import Attribute, User, WrongAttribute, user_attributes, xml
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
EXPECTED = (
    '<users><user id="12"><attributes><attribute key="gender" value="male" type="NOMINAL"/>'
    '<attribute key="age" value="34" type="NUMERIC"/></attributes></user></users>'
)


@pytest.fixture(autouse=True)
def _own_engine(sites_file: Callable[[str], None]) -> None:
    own = '        user: {{ endpoint: "{engine}" }}\n        event_tracking:'
    sites_file(SITES.replace("        event_tracking:", own))


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    """Registers providers for the time of a test."""
    made = []

    def add(*known: User, source: str = "crm", priority: int = 0) -> None:
        def provider(_site: SiteAccess) -> Iterable[User]:
            return iter(known)

        made.append(user_attributes(source=source, priority=priority)(provider))

    yield add
    for provider in made:
        users.forget(provider)


def update(*options: str) -> str:
    out = StringIO()
    call_command("update_users", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_visitor_is_known_by_the_cookie_and_an_account_by_its_number(
    rf: RequestFactory, engine: Engine
) -> None:
    """Case 9-101, with our cookie in the place of the session id (W-49)."""
    account = Account(pk=14)
    for user, expected in ((AnonymousUser(), "0b8f6f0e-aaaa"), (account, "14")):
        request = rf.get("/")
        request.user, request.LANGUAGE_CODE = user, "en"
        request.COOKIES["lodestar_visitor"] = "0b8f6f0e-aaaa"
        recommend.recommendations(request, "front")
        assert engine.received[-1].path.split("/")[4] == expected


def test_users_are_posted_as_xml(register: Callable[..., None], engine: Engine) -> None:
    """Case 9-113."""
    register(User("12", (Attribute("gender", "male", "NOMINAL"), Attribute("age", 34, "NUMERIC"))))
    assert "User attributes updated successfully!" in update("--site=site_en")
    [call] = engine.received
    assert (call.method, call.path, call.headers["Content-Type"]) == ("POST", "/api/501/crm/user", "text/xml")
    assert b64decode(call.headers["Authorization"].removeprefix("Basic ")) == b"501:1111-aaaa"
    assert call.body.startswith(b'<?xml version="1.0"?>')
    assert ET.canonicalize(call.body.decode()) == ET.canonicalize(EXPECTED)


def test_without_users_the_operator_is_told(engine: Engine) -> None:
    """Case 9-115."""
    with pytest.raises(CommandError, match="Property xmlBody is not defined") as caught:
        update()
    assert caught.value.returncode == 1
    assert not engine.received


def test_each_customer_is_told_once_with_its_own_key(register: Callable[..., None], engine: Engine) -> None:
    register(User("12"))
    update()
    assert [call.path for call in engine.received] == ["/api/501/crm/user", "/api/502/crm/user"]
    assert b"<attributes />" in engine.received[0].body, "an empty element where there are none"


def test_of_two_that_tell_the_same_the_higher_priority_counts(register: Callable[..., None]) -> None:
    register(User("12", (Attribute("tier", "low"), Attribute("age", 3))))
    register(User("12", (Attribute("tier", "high"),)), User("13"), priority=5)
    register(User("12", (Attribute("tier", "other"),)), source="shop")
    shown = update("--site=site_en", "--dry-run", "--source=crm")
    assert shown.count('<user id="12">') == 1
    assert 'value="high"' in shown
    assert "low" not in shown
    assert 'key="age" value="3" type="NUMERIC"' in shown


def test_many_users_go_in_several_requests(register: Callable[..., None], engine: Engine) -> None:
    register(*(User(str(number)) for number in range(2500)))
    assert '"documents":3' in update("--site=site_en", "--json")
    sizes = [call.body.count(b"<user id=") for call in engine.received]
    assert sizes == [1000, 1000, 500]
    huge = [User(str(number), (Attribute("note", "x" * 300_000, "TEXT"),)) for number in range(5)]
    assert [count for count, _document in xml.documents(huge)] == [3, 2]


@pytest.mark.parametrize("value", ["<b>&\"'", "a\0b\x1bc", "\ud800", "é ünï 漢"])
def test_any_value_is_well_formed(value: str) -> None:
    [(_count, document)] = xml.documents([User(value, (Attribute(value, value),))])
    [user] = ET.fromstring(document)  # noqa: S314 - our own document
    assert user.get("id") is not None


def test_a_type_that_no_engine_knows_is_refused() -> None:
    with pytest.raises(WrongAttribute, match=r"^Wrong Attribute type\."):
        Attribute("age", 1, "NUMBER")


def test_it_shows_what_an_engine_knows(register: Callable[..., None], engine: Engine) -> None:
    register(User("12"))
    engine.body = EXPECTED.encode()
    assert EXPECTED in update("--site=site_en", "--show=12", "--show=13")
    assert engine.received[0].path == "/api/501/crm/user/12,13"


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "refused the license key of customer 501"), (500, "answered 500")]
)
def test_it_says_what_the_engine_did_not_take(
    status: int, sentence: str, register: Callable[..., None], engine: Engine
) -> None:
    register(User("12"))
    engine.status = status
    with pytest.raises(CommandError, match=sentence) as caught:
        update("--site=site_en")
    assert caught.value.returncode == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--source="], "Property source is not defined"),
        (["--site=site_em"], "Did you mean 'site_en'"),
        (["--source=a/b", "--show=1"], "needs at least one character and no blank, slash"),
    ],
)
def test_it_refuses_wrong_use(options: list[str], sentence: str, engine: Engine) -> None:
    with pytest.raises(CommandError, match=sentence):
        update(*options)
    assert not engine.received


def test_it_has_the_names_of_older_versions() -> None:
    for name in ("ibexa:recommendation:update-user", "ezrecommendation:user:update"):
        assert canonical_argv(["manage.py", name]) == ["manage.py", "update_users"]


def test_it_forgets_nobody_here_by_the_command_for_elsewhere(sites_file: Callable[[str], None]) -> None:
    lines = [
        line for line in SITES.splitlines(keepends=True) if "endpoint" not in line and "api:" not in line
    ]
    sites_file("".join(lines))
    with pytest.raises(CommandError, match="erase_user --customer 501 --user ID"):
        call_command("forget_user", "--site=site_en", "--user-id=1")

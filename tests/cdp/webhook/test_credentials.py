"""Who may send: the activations of the sites file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from cdp import checks, configuration
from config import site_access
from tests.cdp.conftest import OTHER_SECRET, SECRET, SITES, Platform

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "n" * 40


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic eA=="},
        {"authorization": "Bearer x"},
        {"x-cdp-client-id": "mine", "x-cdp-client-secret": "wrong"},
        {"x-cdp-client-id": "mine"},
        {"x-cdp-client-id": "mine", "x-cdp-client-secret": OTHER_SECRET},
        {"x-cdp-client-id": "nobody", "x-cdp-client-secret": SECRET},
        Platform().headers | {"x-cdp-client-id": "theirs", "x-cdp-client-secret": OTHER_SECRET},
    ],
)
def test_it_wants_the_credentials_of_an_activation(platform: Platform, headers: dict[str, str]) -> None:
    answer = platform.post(b"not even JSON", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="cdp"'


def test_both_ways_of_presenting_them_work(platform: Platform) -> None:
    named = {"x-cdp-client-id": "mine", "x-cdp-client-secret": SECRET}
    assert platform.post(platform.document(), headers=named).status_code == 200
    assert platform.post(platform.document(), headers=platform.headers | named).status_code == 200


def test_guessing_ends_after_ten_though_the_next_guess_be_right(platform: Platform) -> None:
    wrong = {"x-cdp-client-id": "mine", "x-cdp-client-secret": "wrong"}
    answers = [platform.post(b"{}", headers=wrong).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    right = platform.send()
    assert (right.status_code, right["Retry-After"]) == (429, "60")
    # Neither other clients behind the same proxy nor the right one elsewhere are held up.
    theirs = Platform("theirs", OTHER_SECRET)
    assert theirs.send(segment_group_identifier="others").status_code == 200
    platform.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert platform.send().status_code == 200


def test_guessing_under_many_names_ends_too(platform: Platform) -> None:
    answers = [
        platform.post(b"{}", headers={"x-cdp-client-id": f"c{n}", "x-cdp-client-secret": "x"}).status_code
        for n in range(11)
    ]
    assert answers == [401] * 10 + [429]
    assert platform.send().status_code == 200


def test_two_secrets_are_live_while_one_is_replaced(platform: Platform, sites: Path) -> None:
    def statuses() -> list[int]:
        site_access.reload()
        return [Platform(secret=one).send().status_code for one in (SECRET, NEW, OTHER_SECRET)]

    sites.write_text(SITES.replace(f"client_secret: {SECRET}", f"client_secret: [{NEW}, {SECRET}]"))
    assert statuses() == [200, 200, 401]
    assert NEW not in repr(configuration.current())
    said = [one for one in checks.configured() if "two client secrets" in one.text]
    assert [one.about for one in said] == ["activation mine"]
    sites.write_text(SITES.replace(f"client_secret: {SECRET}", f"client_secret: {NEW}"))
    assert statuses() == [401, 200, 401]
    for wrong in ("[]", "''", f"[{NEW}, '']", "[a, b, c]", "{a: b}"):
        sites.write_text(SITES.replace(f"client_secret: {SECRET}", f"client_secret: {wrong}"))
        site_access.reload()
        faults = configuration.current().faults
        assert any("activations.0.client_secret" in one for one in faults), (wrong, faults)
        assert NEW not in "".join(faults)


def test_credentials_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("cdp_generate_credentials")
    first, second = capsys.readouterr().out.split()
    assert first.startswith("CDP_ACTIVATION_CLIENT_ID=")
    assert len(second.removeprefix("CDP_ACTIVATION_CLIENT_SECRET=")) >= 32

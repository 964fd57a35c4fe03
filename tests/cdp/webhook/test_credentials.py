"""Who may send: the activations of the sites file."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tests.cdp.conftest import OTHER_SECRET, SECRET, Platform

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_guessing_ends_after_ten_and_holds_nobody_up(platform: Platform) -> None:
    wrong = {"x-cdp-client-id": "mine", "x-cdp-client-secret": "wrong"}
    answers = [platform.post(b"{}", headers=wrong).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert platform.send().status_code == 200  # from the same address


def test_credentials_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("cdp_generate_credentials")
    first, second = capsys.readouterr().out.split()
    assert first.startswith("CDP_ACTIVATION_CLIENT_ID=")
    assert len(second.removeprefix("CDP_ACTIVATION_CLIENT_SECRET=")) >= 32

"""What every target does alike. A new one needs a line in MADE, and passes all of it."""

from __future__ import annotations

import base64
import csv
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from cdp.activations import changes, deliver, news, upkeep
from cdp.activations.models import Activation
from cdp.activations.targets import all_targets, base
from cdp.activations.targets.base import Action, Broken, Later, Shipment, Target
from cdp.activations.targets.csv_file import folder_of
from cdp.profiles.models import Account
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver

pytestmark = pytest.mark.django_db


class Kind(NamedTuple):
    """``config`` and ``secret`` that are right, configs that are not, and who is there by the receiver."""

    config: Callable[[str], dict[str, Any]]
    secret: str
    wrong: list[dict[str, Any]]
    bad_secrets: list[str]
    is_remote: bool = True


WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
MADE = {
    "ibexa": Kind(
        lambda url: {"base_url": url, "client_id": "me", "segment_group_identifier": "audiences"},
        "s" * 40,
        [
            {},
            {"base_url": "https://a.example/cdp/webhook", "client_id": "me"},
            {"base_url": "https://a.example/", "client_id": "me", "segment_group_identifier": "g"},
            {"base_url": "http://a.example/cdp/webhook", "client_id": "me", "segment_group_identifier": "g"},
            {
                "base_url": "https://a.example/cdp/webhook?a=b",
                "client_id": "me",
                "segment_group_identifier": "g",
            },
            {
                "base_url": "https://u:p@a.example/cdp/webhook",
                "client_id": "me",
                "segment_group_identifier": "g",
            },
            {"base_url": "cdp/webhook", "client_id": "me", "segment_group_identifier": "g"},
            {
                "base_url": "https://a.example/cdp/webhook",
                "client_id": "a:b",
                "segment_group_identifier": "g",
            },
            {"base_url": 7, "client_id": "me", "segment_group_identifier": "g"},
        ],
        ["", "ü" * 40, "s" * 256],
    ),
    "webhook": Kind(
        lambda url: {"url": url},
        WHSEC,
        [
            {},
            {"url": ""},
            {"url": "ftp://a.example/"},
            {"url": "http://a.example/"},
            {"url": "https://a.example/#x"},
        ],
        ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_***", base64.b64encode(b"k" * 32).decode()],
    ),
    "csv": Kind(
        lambda _url: {"keep_days": 3}, "", [{"keep_days": 0}, {"keep_days": "x"}, {"days": 3}], [], False
    ),
    "cdp_api": Kind(lambda _url: {}, "a" * 32, [{"url": "x"}], ["", "short", "ü" * 32], False),
}
TARGETS = pytest.mark.parametrize("target", all_targets(), ids=lambda one: one.kind)


@pytest.fixture
def _files(tmp_path: Path, settings: Any) -> None:
    settings.ACTIVATION_ROOT = tmp_path / "activations"


def activation(target: Target, account: Account, far: Receiver) -> Activation:
    kind = MADE[target.kind]
    made_up = made.audience(account, "cats", made.person(account, userid=1))
    return changes.create(
        account,
        name="One",
        kind=target.kind,
        person_identifier="userid",
        config=kind.config(far.url),
        secret=kind.secret,
        audiences=[made_up],
    )[0]


def shipment(of: Activation, *actions: tuple[Any, str], sequence: int = 1) -> Shipment:
    audience = of.attachments.get().audience
    return Shipment(
        activation=of,
        request_id=f"00000000-0000-4000-8000-{sequence:012}",
        sequence=sequence,
        sent_at=of.created_at,
        audiences=[base.about(audience)],
        actions=[Action(op, f"aud_{audience.pk}", person) for op, person in actions],
    )


def test_it_tests_every_kind() -> None:
    assert sorted(MADE) == [one.kind for one in all_targets()]


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_takes_its_own_settings_and_refuses_others(target: Target) -> None:
    kind = MADE[target.kind]
    target.Config.model_validate(kind.config("https://a.example/cdp/webhook"))
    for wrong in kind.wrong:
        with pytest.raises(ValidationError):
            target.Config.model_validate(wrong)


@TARGETS
def test_it_knows_a_usable_secret(target: Target) -> None:
    kind = MADE[target.kind]
    if target.has_secret:
        target.check_secret(kind.secret)
    for wrong in kind.bad_secrets:
        with pytest.raises(ValueError, match="missing|must"):
            target.check_secret(wrong)
    if own := target.new_secret():
        target.check_secret(own)
        assert own != target.new_secret()


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_takes_requests_and_repetitions(target: Target, account: Account, far: Receiver) -> None:
    of = activation(target, account, far)
    first = shipment(of, ("add", "1"), ("add", "2"))
    assert target.deliver(first).skipped == 0
    target.deliver(first)
    target.deliver(shipment(of, ("remove", "1"), sequence=2))
    target.finish(of)
    if MADE[target.kind].is_remote:
        assert far.people() == {"2"}
        assert set(far.adds.values()) == {1}
        assert len({body for _, body in far.raw}) == 2


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_tries_the_connection_without_sending_anybody(
    target: Target, account: Account, far: Receiver
) -> None:
    of = activation(target, account, far)
    verdict = target.probe(of)
    assert verdict.ok, verdict.words
    assert verdict.words.endswith(".")
    assert far.actions() == []
    if MADE[target.kind].is_remote:
        far.faults.extend([401, "dead"])
        assert "status 401" in target.probe(of).words
        assert not target.probe(of).ok


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_tells_what_may_pass_from_what_will_not(target: Target, account: Account, far: Receiver) -> None:
    of = activation(target, account, far)
    if not MADE[target.kind].is_remote:
        return
    for status, kind in ((500, Later), (429, Later), ("dead", Later), (422, Broken), (302, Broken)):
        far.faults.append(status)
        with pytest.raises(kind):
            target.deliver(shipment(of, ("add", "1")))
    assert not far.members


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_keeps_its_secret_out_of_rows_and_logs(
    target: Target, account: Account, far: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    of = activation(target, account, far)
    target.probe(of)
    far.faults.append(422)
    changes.mark(of)
    deliver.deliver(of.pk)
    row = str(Activation.objects.values().get())
    if secret := MADE[target.kind].secret:
        assert secret not in row
        assert secret not in caplog.text


@TARGETS
@pytest.mark.usefixtures("_files")
def test_it_leaves_nothing_when_it_is_deleted(target: Target, account: Account, far: Receiver) -> None:
    of = activation(target, account, far)
    target.deliver(shipment(of, ("add", "1")))
    target.finish(of)
    folder = folder_of(of)
    changes.delete(of)
    assert not folder.exists()


@pytest.fixture
def files(account: Account, far: Receiver, _files: None) -> Activation:
    return activation(next(one for one in all_targets() if one.kind == "csv"), account, far)


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def delivered(of: Activation) -> list[Path]:
    return sorted(folder_of(of).glob("delivery-*.csv"))


def test_it_writes_a_file_of_each_delivery_and_one_of_everybody(account: Account, files: Activation) -> None:
    audience = files.attachments.get().audience
    changes.mark(files)
    deliver.deliver(files.pk)
    made.calculate(
        audience, [made.person(account, userid="=cmd|' /C calc'!A0"), made.person(account, userid='ö,"')]
    )
    deliver.deliver(files.pk)
    first, second = delivered(files)
    assert rows(first) == [["op", "audience", "person"], ["add", "cats", "1"]]
    assert rows(second) == [
        ["op", "audience", "person"],
        ["remove", "cats", "1"],
        ["add", "cats", "'=cmd|' /C calc'!A0"],
        ["add", "cats", 'ö,"'],
    ]
    everybody = rows(folder_of(files) / "members.csv")
    assert everybody[0] == ["audience", "person"]
    assert sorted(everybody[1:]) == [["cats", "'=cmd|' /C calc'!A0"], ["cats", 'ö,"']]
    assert not list((folder_of(files) / "parts").iterdir())
    assert not first.stat().st_mode & 0o077


def test_it_makes_one_file_of_many_requests_and_of_what_was_killed(files: Activation) -> None:
    target = base.of(files)
    target.deliver(shipment(files, ("add", "1")))
    assert not delivered(files)
    target.deliver(shipment(files, ("add", "2"), sequence=2))
    target.finish(files)
    assert [path.name for path in delivered(files)] == ["delivery-000000000000002.csv"]
    assert len(rows(delivered(files)[0])) == 3
    # Killed after the file appeared and before its parts went.
    target.deliver(shipment(files, ("add", "2"), sequence=2))
    target.deliver(shipment(files, ("add", "3"), sequence=3))
    target.finish(files)
    assert [len(rows(path)) for path in delivered(files)] == [3, 2]


def test_it_drops_files_that_are_old(files: Activation) -> None:
    target = base.of(files)
    for sequence in (1, 2):
        target.deliver(shipment(files, ("add", "1"), sequence=sequence))
        target.finish(files)
    old = delivered(files)[0]
    os.utime(old, (time.time() - 4 * 86_400,) * 2)
    target.finish(files)
    assert len(delivered(files)) == 1
    assert not old.exists()


def test_it_drops_old_files_of_an_activation_that_is_paused(files: Activation) -> None:
    target = base.of(files)
    target.deliver(shipment(files, ("add", "1")))
    target.finish(files)
    target.deliver(shipment(files, ("add", "2"), sequence=2))  # and paused on the way
    changes.pause(files)
    upkeep.forget_files()
    assert len(delivered(files)) == 1
    aged(files)
    upkeep.forget_files()
    [second] = delivered(files)
    assert rows(second)[1:] == [["add", "cats", "2"]]
    assert not list((folder_of(files) / "parts").iterdir())
    aged(files)
    upkeep.forget_files()
    assert not delivered(files)


def aged(of: Activation) -> None:
    for path in folder_of(of).rglob("*.csv"):
        os.utime(path, (time.time() - 4 * 86_400,) * 2)


def test_it_takes_who_was_erased_out_of_its_files(account: Account, files: Activation) -> None:
    changes.mark(files)
    deliver.deliver(files.pk)
    audience = files.attachments.get().audience
    people = [made.person(account, userid=text) for text in ("=2", "3")]
    made.calculate(audience, people)
    deliver.deliver(files.pk)
    target = base.of(files)
    target.deliver(shipment(files, ("add", "=2"), ("add", "4"), sequence=10**14))
    changes.pause(files)
    aged(files)
    gone = list(people[0].identifiers.values_list("kind", "digest"))
    news.people_erased(account=account.pk, identifiers=gone)
    first, second = delivered(files)
    assert rows(first)[1:] == [["add", "cats", "1"]]
    assert rows(second)[1:] == [["remove", "cats", "1"], ["add", "cats", "3"]]
    assert rows(folder_of(files) / "members.csv")[1:] == [["cats", "3"]]
    [part] = (folder_of(files) / "parts").iterdir()
    assert rows(part) == [["add", "cats", "4"]]
    assert time.time() - second.stat().st_mtime > 3 * 86_400
    changes.resume(files)
    people[0].delete()
    made.calculate(audience, people[1:])
    deliver.deliver(files.pk)
    assert ["remove", "cats", "'=2"] in rows(delivered(files)[-1])


@contextmanager
def in_the_way(path: Path) -> Iterator[None]:
    """A file where a folder should be: works for root too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    yield
    path.unlink()


def test_it_tries_again_when_the_disk_takes_no_file(files: Activation) -> None:
    with in_the_way(folder_of(files)):
        assert "not written" in base.of(files).probe(files).words
        changes.mark(files)
        run = deliver.deliver(files.pk)
    assert run is not None
    assert run.state == "later"
    changes.resume(files)
    deliver.deliver(files.pk)
    assert len(delivered(files)) == 1

"""Commands of the ground: doctor, migrate, create_customer, and the list of variables."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from config import checks
from config.customers import directory
from config.customers.models import Customer
from config.jobs import worker
from config.routers import EVENT_APPS
from config.site_access import EventGate
from tests.environ import of_its_own
from tests.flows.installation import eventually
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def bad() -> dict[str, str]:
    return {finding.about: finding.text for finding in checks.examine() if not finding.well}


@pytest.mark.django_db(databases="__all__")
def test_it_finds_a_fresh_installation_well_except_for_a_worker(settings: Settings) -> None:
    settings.DEBUG = True
    problems = bad()
    problems.pop("broker", None)
    # The test runner makes the events tables without their migrations.
    problems.pop("database events", None)
    assert set(problems) == {"worker"}
    worker.beat()
    assert "worker" not in bad()


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + "q8s7d6f5" * 6, "change-me-" * 6])
def test_it_knows_a_weak_key(key: str, settings: Settings) -> None:
    settings.DEBUG, settings.SECRET_KEY = False, key
    assert "is short, too simple or a default" in bad()["secret key"]


def test_it_knows_a_broker_that_forgets_and_one_that_is_away(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
    command = ["redis-server", "--port", str(port), "--dir", str(tmp_path), "--save", ""]
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        eventually(lambda: "Redis, append-only file off" in said_of_the_broker(), what="Redis")
        with Redis.from_url(settings.REDIS_URL) as client:
            client.config_set("appendonly", "yes")
        [finding] = checks.broker()
        assert finding.well, finding
        process.kill()
    assert "Redis cannot be reached" in said_of_the_broker()


def said_of_the_broker() -> str:
    return " ".join(finding.text for finding in checks.broker() if not finding.well)


@pytest.mark.django_db(databases="__all__")
def test_it_knows_a_database_that_answers_before_it_has_written() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is always told to wait for the disk.")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        assert "synchronous_commit is off" in " ".join(one.text for one in checks.examine() if not one.well)


@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_celery_does_not_start_with_a_weak_key(kind: str, tmp_path: Path) -> None:
    environment = of_its_own(
        LODESTAR_DEBUG="0",
        SECRET_KEY="short",
        LODESTAR_VAR_DIR=str(tmp_path),
        REDIS_URL="redis://127.0.0.1:1/0",
        PYTHONPATH=str(ROOT),
    )
    command = [sys.executable, "-m", "celery", "-A", "config", kind]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 2
    assert "Not started. secret key: is short" in done.stderr


@pytest.mark.django_db(databases="__all__")
def test_it_refuses_the_demo_outside_development(settings: Settings) -> None:
    settings.DEBUG = False
    settings.SECRET_KEY = "short"
    settings.PSEUDONYM_KEYS = ("short",)
    problems = bad()
    assert "demo's license keys" in problems["sites file"]
    assert {"secret key", "pseudonym key"} <= set(problems)


def test_it_sends_a_folder_without_tables_to_migrate_and_asks_no_more(tmp_path: Path) -> None:
    environment = of_its_own(LODESTAR_VAR_DIR=str(tmp_path))
    command = [sys.executable, str(ROOT / "manage.py"), "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "WRONG database default: has no tables yet" in done.stdout
    assert "Run `python manage.py migrate`" in done.stdout
    assert "worker" not in done.stdout
    assert "no such table" not in done.stdout


@pytest.mark.django_db(databases="__all__")
def test_it_names_a_broken_sites_file_and_exits_with_1(settings: Settings, tmp_path: Path) -> None:
    settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text("personalization: [")
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("doctor", stdout=out)
    assert "WRONG sites file" in out.getvalue()
    assert "line 1" in out.getvalue()


@pytest.mark.django_db
def test_it_creates_a_customer_and_shows_its_key_once(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    created: list[str] = []

    def note(customer_id: str, **_signal: object) -> None:
        created.append(customer_id)

    directory.customer_created.connect(note)
    out = StringIO()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("create_customer", "--name", "Shop", "--type", "commerce", stdout=out)
    directory.customer_created.disconnect(note)
    key = out.getvalue().split()[-1]
    account = directory.find(created[0])
    assert account
    assert account.accepts(key)
    assert account.kind == "commerce"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [["--name", " "], ["--name", "x", "--id", "a1"], ["--name", "x", "--id", "10101"]]
)
def test_it_refuses_a_customer_that_cannot_be(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match=r"--(name|id) "):
        call_command("create_customer", *wrong)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_creates_a_customer_with_rules_for_its_events_and_changes_them() -> None:
    origins = ["--allow-origin", "https://B.example:443", "--allow-origin", "http://a.example:8000"]
    run("create_customer", "--name", "Shop", "--id", "31001", "--events-per-second", "20", *origins)
    assert gate() == EventGate(
        events_per_second=20, origins=("http://a.example:8000", "https://b.example"), needs_license_key=False
    )

    said = run("change_customer", "--customer", "31001", "--require-license-key")
    assert "20 events a second, license key required, pages of http://a.example:8000" in said
    said = run("change_customer", "--customer", "31001", "--require-consent")
    assert "license key required, consent required, pages" in said
    assert directory.find("31001").consent_required  # type: ignore[union-attr]
    run("change_customer", "--customer", "31001", "--events-per-second", "20")
    assert directory.find("31001").consent_required  # type: ignore[union-attr]
    run("change_customer", "--customer", "31001", "--no-require-consent")
    assert not directory.find("31001").consent_required  # type: ignore[union-attr]
    run("change_customer", "--customer", "31001", "--events-per-second", "0", "--allow-origin", "")
    assert gate() == EventGate(events_per_second=0, needs_license_key=True)
    run("change_customer", "--customer", "31001", "--events-per-second=default", "--no-require-license-key")
    assert gate() == EventGate()


def gate() -> EventGate:
    account = directory.find("31001")
    assert account
    return account.gate


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--events-per-second", "-1"], "--events-per-second must be a whole number"),
        (["--events-per-second", "many"], "--events-per-second must be a whole number"),
        (["--events-per-second", "10000001"], "must be 0 to 10000000; got 10000001"),
        (["--allow-origin", "www.example.org"], "'www.example.org' must be the origin of pages"),
        (["--allow-origin", "https://a.example/path"], "must be the origin of pages"),
        ([f"--allow-origin=https://a{n}.example" for n in range(101)], "At most 100 origins"),
    ],
)
@pytest.mark.parametrize(
    "command", [["create_customer", "--name", "x"], ["change_customer", "--customer", "31001"]]
)
def test_it_refuses_rules_for_events_that_cannot_be(command: list[str], wrong: list[str], says: str) -> None:
    run("create_customer", "--name", "Shop", "--id", "31001")
    with pytest.raises(CommandError, match=re.escape(says)) as caught:
        run(*command, *wrong)
    assert caught.value.returncode == 2
    assert gate() == EventGate()
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_it_changes_no_customer_of_the_sites_file_and_no_unknown_one() -> None:
    for customer_id, says in (("10101", "stands in the sites file"), ("99", "is not known")):
        with pytest.raises(CommandError, match=says):
            run("change_customer", "--customer", customer_id, "--events-per-second", "1")


@pytest.mark.django_db(databases="__all__")
def test_it_says_who_may_send_events_and_when_own_pages_may_not() -> None:
    run(
        "create_customer", "--name", "Shop", "--id", "31001", "--require-license-key", "--events-per-second=9"
    )
    Customer.objects.create(customer_id="10101", name="Own", allowed_origins="https://other.example")
    lines = {f.about: f for f in checks.examine() if f.about.startswith("events of") and f.well}
    assert lines["events of customer 31001"].text == (
        "at most 9 a second, with license key only, which pages cannot send"
    )
    assert (
        lines["events of customer 10101"].text
        == "at most 50000 a second, from pages of https://other.example"
    )
    own = next(f for f in checks.examine() if f.about == "events of customer 10101" and not f.well)
    assert own.text == "are refused from pages of its own site, http://localhost:8000"
    assert "Add http://localhost:8000" in own.remedy


def test_it_migrates_both_databases_with_one_command(tmp_path: Path) -> None:
    environment = of_its_own(LODESTAR_VAR_DIR=str(tmp_path))
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--plan"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.count("Planned operations:") == 1 + len(EVENT_APPS)
    assert "cdp_tracking.0001_initial" in result.stdout
    assert "tracking.0008_order" in result.stdout


def test_it_says_in_one_sentence_which_variable_is_wrong() -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    environment = of_its_own(LODESTAR_PORT="many")
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, "LODESTAR_PORT must be a whole number; got 'many'.\n")


def test_it_lists_every_variable_in_the_example_file() -> None:
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.M))
    read: set[str] = set()
    for folder in ("config", "content", "tracking", "personalization", "cdp"):
        for path in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r'(?:env_\w+|os\.environ\.get)\(\s*"([A-Z_]+)"', path.read_text()))
    sites = {"PERSONALIZATION_CUSTOMER_ID", "PERSONALIZATION_LICENSE_KEY", "PERSONALIZATION_HOST_URI"}
    sites |= {"CDP_ACTIVATION_CLIENT_ID", "CDP_ACTIVATION_CLIENT_SECRET"}
    sites |= {"CDP_MEMBERSHIP_ACTIVATION_ID", "CDP_MEMBERSHIP_API_KEY"}
    by_the_storage = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert read - {"PYTHONPATH"} <= listed  # Python's own
    assert listed - sites - by_the_storage <= read

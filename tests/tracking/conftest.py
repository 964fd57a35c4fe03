"""Customers and requests for the tracking tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, BrowserContext

from config import lake_storage
from config.customers.directory import CustomerAccount
from config.site_access import EventGate
from tests.ports import free_port
from tests.tracking import s3_server
from tracking import lake_calm
from tracking.collector import intake
from tracking.collector.intake import Accepted

from . import shop as shops

NOW = 1_700_000_000_000_000


def account(
    customer_id: str, *, alphanumeric: bool = False, consent_required: bool = False
) -> CustomerAccount:
    return CustomerAccount(
        customer_id=customer_id,
        name=f"Shop {customer_id}",
        kind="publisher",
        alphanumeric_items=alphanumeric,
        license_key_digests=(),
        consent_required=consent_required,
        # All of a run's requests come in the same second.
        gate=EventGate(events_per_second=0),
    )


KNOWN = {
    "00000": account("00000"),
    "1234": account("1234"),
    "10101": account("10101"),
    "strings": account("strings", alphanumeric=True),
    "asking": account("asking", consent_required=True),
}


@pytest.fixture
def accept() -> Callable[..., Accepted]:
    """Run the intake on a request target given as text."""

    def run(target: str | bytes, *, method: str = "GET", body: bytes = b"", **headers: str) -> Accepted:
        raw = target if isinstance(target, bytes) else target.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return intake.accept(raw, method=method, headers=named, body=body, find=KNOWN.get, now=NOW)

    return run


@pytest.fixture
def shop() -> Iterator[shops.Shop]:
    """A bare site with the tracker."""
    with shops.opened() as found:
        yield found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser: no cookies, no storage."""
    with browser.new_context() as found:
        yield found


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server.s3_server(free_port()) as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3, settings, tmp_path, monkeypatch) -> SimpleNamespace:
    """An empty bucket, which the settings name with a prefix."""
    s3_server.empty(s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def use(url: str = f"s3://{s3_server.BUCKET}/lodestar/lake", endpoint: str = s3) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        settings.STORAGES = settings.STORAGES | {"lake": lake_storage.lake_storage(url)}

    settings.LAKE_ROOT = tmp_path / "lake"
    settings.LAKE_CACHE = tmp_path / "lake-cache"
    use()
    lake_calm.last.found = ()
    return SimpleNamespace(use=use, names=lambda: s3_server.keys(s3))

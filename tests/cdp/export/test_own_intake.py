"""Exports into dataflows of this installation itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from cdp.dataflows import editing
from cdp.dataflows.models import Run
from cdp.profiles import accounts
from content.models import ProductPage
from tests.cdp.dataflows.conftest import Feed
from tests.cdp.export.conftest import Receiver, WriteSites, run
from tests.cdp.export.test_items import magazine, product

__all__ = ["magazine", "product"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("processors")]


@pytest.fixture
def feed(sites: WriteSites) -> Feed:
    """A dataflow of account 123456 here, and a sites file without an address elsewhere."""
    sites(base="''")
    return Feed(accounts.create(123456, name="Shop"))


def test_it_brings_users_into_profiles(feed: Feed, receiver: Receiver) -> None:
    User.objects.bulk_create([User(pk=n, username=f"u{n}", email=f"u{n}@example.org") for n in range(1, 8)])
    stream = f"--stream-id={feed.stream_id}"
    said = run("stream_user_data", "--draft", "--chunk-size=3", stream)
    assert (said.code, said.out[-1]) == (0, "Sent 7 rows in 3 chunk(s), 0 skipped")
    feed.refresh()
    editing.validate(feed.flow)
    feed.map(feed.schema())
    feed.activate()
    said = run("stream_user_data", "--no-draft", "--chunk-size=3", stream)
    assert (said.code, said.err) == (0, "")
    feed.work()
    assert {number: one["email"] for number, one in feed.facts().items()} == {
        str(n): f"u{n}@example.org" for n in range(1, 8)
    }
    assert receiver.requests == []


def test_it_is_told_that_there_is_no_such_stream(feed: Feed) -> None:
    said = run("stream_user_data", "--draft")
    assert said.code == 1
    assert "refused with 404: This account has no stream with that id. Does the account exist" in said.err


def test_it_replaces_a_catalogue_and_refuses_to_do_so_in_part(feed: Feed, product: ProductPage) -> None:
    stream = f"--stream-id={feed.stream_id}"
    options = ["--product-type=product", stream]
    assert run("stream_product_data", "--draft", *options).code == 0
    feed.refresh()
    editing.validate(feed.flow)
    feed.map(feed.schema(kind="catalog", key="product_code"), mode="overwrite")
    feed.activate()
    assert run("stream_product_data", "--no-draft", *options).code == 0
    feed.work()
    newest: Any = Run.objects.filter(kind="production").latest("pk")
    assert (newest.state, newest.received) == ("succeeded", 3)
    said = run("stream_product_data", "--no-draft", "--since=2026-01-01", *options)
    assert said.code == 2
    assert "since it overwrites its data with each run" in said.err
    assert run("stream_product_data", "--no-draft", "--since=2026-01-01", "--force", *options).code == 0


def test_it_says_that_it_takes_compressed_chunks(feed: Feed) -> None:
    assert feed.post([], draft=True)["Accept-Encoding"] == "gzip"

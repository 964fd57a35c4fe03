"""The demo, built once for all flows of a run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.flows.installation import Installation

expect.set_options(timeout=30_000)  # a machine may be busy with something else


@pytest.fixture(scope="session")
def demo(demo_build: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The demo, served on a port of its own."""
    var_dir: Path = tmp_path_factory.mktemp("served") / "var"
    shutil.copytree(demo_build.var_dir, var_dir)
    with Installation(var_dir=var_dir).serving() as installation:
        yield installation


@pytest.fixture
def page(browser: Browser, demo: Installation) -> Iterator[Page]:
    """A new visitor: no cookies; errors of the page and calls to foreign hosts fail the test."""
    with opened(browser, demo) as found:
        yield found


@contextmanager
def opened(browser: Browser, demo: Installation, *, but: str = "nothing") -> Iterator[Page]:
    """``but``: a pattern of messages of the console that are fine, such as that of an expected refusal."""
    context = browser.new_context(base_url=demo.base)
    new = context.new_page()
    new.set_default_timeout(30_000)
    failures: list[str] = []
    new.on("pageerror", lambda error: failures.append(str(error)))
    new.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: failures.extend(foreign(request.url, base=demo.base)))
    yield new
    context.close()
    assert [one for one in failures if not re.search(but, one)] == []


def foreign(url: str, *, base: str) -> list[str]:
    """The address, if it leads elsewhere than to this installation."""
    own = url.startswith((f"{base}/", "data:", "blob:", "about:"))
    return [] if own else [f"a request to {url}"]

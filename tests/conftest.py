"""What holds for every test. Each run has a state folder of its own: see TESTING in config/settings.py."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_django
from django.utils import translation
from playwright.sync_api import Browser

from tests import alike
from tests.flows.installation import Installation
from tests.prepared import prepared

# Some libraries refuse the ORM inside Playwright's event loop thread; our browser tests only read.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-databases", action="store_true", help="leave out tests that need no database and no service"
    )


def pytest_collection_finish() -> None:
    """What is loaded by now never goes: looking through it for garbage takes a tenth of a run."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--only-databases"):
        alike.leave_out(config, items)


@pytest.fixture(autouse=True)
def _no_database_by_inheritance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    alike.shut_off(request.node, monkeypatch)


@pytest.fixture(autouse=True)
def _no_customer_remembered() -> None:
    """The directory of customers outlives the rolled back rows of an earlier test."""
    from config.customers.directory import directory

    directory.forget()


@pytest.fixture(autouse=True)
def _customers_read_once_where_queries_are_counted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read again after two seconds, which a page of a busy machine takes."""
    if any("assert" in name and "num_queries" in name for name in request.fixturenames):
        monkeypatch.setattr("config.customers.directory.CACHE_SECONDS", 30.0)


@pytest.fixture(autouse=True)
def _no_site_remembered() -> None:
    """Where sites begin stays in the cache, also of sites that a rolled back test made or moved."""
    if models := sys.modules.get("wagtail.models"):
        models.Site.clear_site_root_paths_cache()


@pytest.fixture(autouse=True)
def _no_look_remembered() -> None:
    """The count of those who look at an item outlives the rolled back events of an earlier test."""
    if viewers := sys.modules.get("tracking.viewers"):
        viewers.board.forget()


@pytest.fixture(autouse=True)
def _no_language_left_active() -> Iterator[None]:
    """A page that is asked for in this thread leaves its language active, and the order is random."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_event_writer_left_behind() -> Iterator[None]:
    """The writer of the event view holds a connection, which would keep the test database from going."""
    yield
    if shared := sys.modules.get("tracking.collector.shared"):
        shared.close()


@pytest.fixture(scope="session")
def _migrated_before(request: pytest.FixtureRequest, django_db_modify_db_settings: None) -> Iterator[bool]:
    """Whether the test databases begin with what an earlier run migrated: see tests/migrated.py."""
    from tests import migrated

    if not migrated.possible():
        yield False
        return
    with migrated.prepared(request.config.cache.mkdir("migrated")) as found:
        yield found


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest, *, _migrated_before: bool) -> bool:
    return _migrated_before or bool(request.config.getvalue("reuse_db"))


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    from tests import migrated, restored

    with django_db_blocker.unblock():
        if migrated.possible():
            migrated.keep(request.config.cache.mkdir("migrated"))
            migrated.install()
        elif restored.possible():
            restored.keep()
            restored.install()


@pytest.fixture(scope="session")
def demo_build(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A freshly built demo; tests that change it or serve it for long take a copy."""

    var_dir = tmp_path_factory.mktemp("demo") / "var"
    shutil.copytree(prepared("demo", build_demo), var_dir)
    return Installation(var_dir=var_dir)


def build_demo(folder: Path) -> None:
    Installation(var_dir=folder).manage("demo", "--no-serve")


CopyOfDemo = Callable[..., Installation]


@pytest.fixture
def copy_of_demo(demo_build: Installation, tmp_path: Path) -> CopyOfDemo:
    """Makes an installation with the demo's data, under a name and with variables of its own."""

    def copy(name: str = "var", **extra_env: str) -> Installation:
        shutil.copytree(demo_build.var_dir, tmp_path / name)
        return Installation(var_dir=tmp_path / name, extra_env=extra_env)

    return copy


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run: Playwright refuses a second one in the same process."""
    from tests.browser import chromium

    with chromium() as running:
        yield running

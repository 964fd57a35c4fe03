"""The demo, built once for all tests that kill, starve or cut off an installation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.installation import Installation

CopyOfDemo = Callable[..., Installation]


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A demo that nothing serves; tests work on copies of it."""


    installation = Installation(var_dir=tmp_path_factory.mktemp("built") / "var")
    installation.manage("demo", "--no-serve")
    return installation


@pytest.fixture
def copy_of_demo(built_demo: Installation, tmp_path: Path) -> CopyOfDemo:
    """Makes an installation with the demo's data, under a name and with variables of its own."""

    def copy(name: str = "var", **extra_env: str) -> Installation:
        shutil.copytree(built_demo.var_dir, tmp_path / name)
        return Installation(var_dir=tmp_path / name, extra_env=extra_env)

    return copy

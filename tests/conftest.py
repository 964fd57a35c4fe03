"""Every test run has a state folder of its own, so that nothing of a real installation is touched."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("LODESTAR_VAR_DIR", tempfile.mkdtemp(prefix="lodestar-tests-"))
# Some libraries refuse the ORM inside Playwright's event loop thread; our browser tests only read.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

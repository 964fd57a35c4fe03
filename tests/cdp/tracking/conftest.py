"""Sites whose pages track: with an engine, with consent, with texts for ids, without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from cdp.tracking import deliver, message
from cdp.tracking.limits import visitors
from cdp.tracking.message import Call
from cdp.tracking.models import Message
from config import site_access
from tracking.collector.gate import budgets

KEY = "1-2-3-4-5"
ACCOUNT, CUSTOMER = 123456, "501"
ASKING, TEXTS, ALONE = 123457, 123458, 123459
SITES = f"""
personalization:
  system:
    site_en:
      languages: [eng-GB]
      authentication: {{customer_id: 501, license_key: {KEY}}}
      cdp: {{account_number: {ACCOUNT}}}
      connector_raptor: {{enabled: true, tracking_type: hybrid}}
    asking:
      languages: [fre-FR]
      authentication: {{customer_id: 502, license_key: 2-2-2-2-2}}
      tracking: {{consent_required: true}}
      cdp: {{account_number: {ASKING}}}
    texts:
      languages: [ger-DE]
      authentication: {{customer_id: 503, license_key: 3-3-3-3-3}}
      repository: {{content: {{use_remote_id: true}}}}
      cdp: {{account_number: {TEXTS}}}
    alone:
      cdp: {{account_number: {ALONE}}}
"""
COID, OTHER = "6f1d8a52-0c1b-4d47-9c0e-6a1f0d9b7c11", "0c0ffee0-0c1b-4d47-9c0e-6a1f0d9b7c22"


@pytest.fixture(autouse=True)
def _nothing_spent() -> None:
    visitors.forget()
    budgets._spent.clear()


@pytest.fixture(autouse=True)
def sites(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "sites.yaml"
    path.write_text(SITES)
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    cache.clear()
    return path


@pytest.fixture
def client() -> Client:
    return Client()


def waiting() -> list[Call]:
    """What is in the queue, the oldest first."""
    return [message.opened(row) for row in Message.objects.order_by("pk")]


def work() -> int:
    """As the worker does."""
    return deliver.deliver()

"""The only caller of the engine.

Addresses come from the operator (sites file or command line) and are therefore trusted as they stand.
Every failure becomes an :class:`EngineError` whose message names the host and the customer, never a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from config import http
from config.site_access import SiteAccess
from personalization import contracts
from personalization.client.errors import EngineError

JSON = "application/json"
NOTIFY_SECONDS = 30.0
MAX_ANSWER_BYTES = 1024 * 1024
LONGEST_REASON = 300  # bytes


def notify(
    document: contracts.NotificationDocument, *, url: str, customer_id: int | str, license_key: str
) -> int:
    """Post a notification; return the engine's status (2xx). Raises :class:`EngineError`."""
    answer = call(
        "POST",
        url,
        customer_id=customer_id,
        license_key=license_key,
        budget=NOTIFY_SECONDS,
        content=orjson.dumps(document),
    )
    return answer.status


def notification_url(site: SiteAccess, *, customer_id: int | str) -> str:
    """Where notifications for a customer go."""
    endpoint = site.notifier_endpoint or site.admin_endpoint
    return endpoint.rstrip("/") + contracts.items_path(customer_id)


def recommend(
    site: SiteAccess, *, visitor: str, scenario: str, query: Sequence[tuple[str, str]], budget: float
) -> dict[str, Any]:
    """Ask for recommendations within ``budget`` seconds; return the answer as it came.

    Raises :class:`EngineError`, also when the answer is not a JSON object.
    """
    path = contracts.recommendation_path(site.customer_id, visitor, scenario)
    answer = call(
        "GET",
        f"{site.recommendation_endpoint.rstrip('/')}{path}?{urlencode(query)}",
        customer_id=site.customer_id,
        license_key=site.license_key,
        budget=budget,
    )
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise EngineError(
            f"The engine's answer for customer {site.customer_id} is not a JSON object.",
            status=answer.status,
            retry=False,
        )
    return document


def call(
    method: str,
    url: str,
    *,
    customer_id: int | str,
    license_key: str,
    budget: float,
    content: bytes = b"",
    content_type: str = JSON,
    accept: str = JSON,
) -> http.Answer:
    """Send one request and return a 2xx answer; everything else raises :class:`EngineError`."""
    headers = {"Accept": accept}
    if content:
        headers["Content-Type"] = content_type
    client = http.SafeClient(purpose="engine", budget=budget, max_bytes=MAX_ANSWER_BYTES)
    try:
        answer = client.request(
            method,
            url,
            headers=headers,
            content=content,
            basic=(str(customer_id), license_key) if license_key else None,
            trusted=True,
        )
    except http.OutgoingError as error:
        # What configuration forbids today it forbids tomorrow; everything else may pass.
        raise EngineError(
            f"The engine at {place(url)} did not answer for customer {customer_id}: {error}",
            retry=not isinstance(error, http.Refused),
        ) from error
    if not 200 <= answer.status < 300:
        raise refusal(answer, url=url, customer_id=customer_id)
    return answer


def refusal(answer: http.Answer, *, url: str, customer_id: int | str) -> EngineError:
    """The sentence for an answer other than 2xx."""
    status = answer.status
    where = f"The engine at {place(url)}"
    if status in (401, 403):
        message = (
            f"{where} refused the license key of customer {customer_id} ({status}). "
            f"Check it in the sites file."
        )
    elif status == 404:
        message = f"{where} knows nothing at this address of customer {customer_id} (404).{told_by(answer)}"
    elif 300 <= status < 400:
        message = (
            f"{where} answered {status} for customer {customer_id}. Redirects are not followed: "
            f"write the address it leads to into the sites file."
        )
    else:
        message = f"{where} answered {status} for customer {customer_id}.{told_by(answer)}"
    retry = status >= 500 or status in (408, 425, 429)
    return EngineError(message, status=status, retry=retry, retry_after=answer.retry_after() or 0)


def told_by(answer: http.Answer) -> str:
    """The reason that an answer gives in plain text, as it may stand behind a sentence of ours."""
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        return ""
    first = answer.body[:LONGEST_REASON].decode("utf-8", "replace").strip().partition("\n")[0]
    return f" It says: {first}" if first and first.isprintable() else ""


def place(url: str) -> str:
    """Host and port of an address, fit for messages."""
    return urlsplit(url).netloc.rpartition("@")[2]

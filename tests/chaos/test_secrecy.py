"""Raw user ids, license keys, tokens and passwords stand nowhere ...

The demo's installation works and fails for a while with every log at its loudest. Then every file of its
state folder and everything that its processes printed is searched.
"""

from __future__ import annotations

import base64
import gzip
import re
import socket
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
import requests

from tests.chaos.recording_engine import RecordingEngine, recording_engine
from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually, free_port

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

USER = "mabel.kx7qz9vt@example.org"
OWN_KEY, REMOTE_KEY, WRONG_KEY = "1717-OWN-4b7d-KEY", "2828-FAR-9c3e-KEY", "3939-BAD-5a1f-KEY"
EXPORT_LOGIN, EXPORT_PASSWORD = "operator", "pw-Zt5-harbour-82"  # noqa: S105
WRONG_PASSWORD, WRONG_TOKEN = "pw-Wr0ng-anchor-19", "pt_wr0ngT0ken-4411-jetty"  # noqa: S105
ACCOUNT, CLIENT_SECRET = 123456, "cs-Vq8-lantern-57-of-at-least-32-letters"
SITES = f"""
personalization:
  system:
    default:
      included_item_types: [place, article, product]
      random_item_types: [article]
    site_en:
      languages: [eng-GB]
      authentication: {{{{ customer_id: 10101, license_key: {OWN_KEY} }}}}
      export:
        authentication: {{{{ method: user, login: {EXPORT_LOGIN}, password: {EXPORT_PASSWORD} }}}}
      cdp:
        account_number: {ACCOUNT}
        activations:
          - {{{{ client_id: far, client_secret: {CLIENT_SECRET}, segment_group_identifier: nowhere }}}}
    site_fr:
      languages: [fre-FR]
      authentication: {{{{ customer_id: 10102, license_key: {REMOTE_KEY} }}}}
      api: {{{{ notifier: {{{{ endpoint: "{{engine}}" }}}} }}}}
"""
CHANNELS = ("personalization", "tracking", "config", "content", "cdp", "cdp.webhook")
REST = "/api/ibexa/v2/personalization/v1"


@pytest.fixture
def engine() -> Iterator[RecordingEngine]:
    with recording_engine() as running:
        yield running


@pytest.fixture
def installation(copy_of_demo: CopyOfDemo, engine: RecordingEngine, tmp_path: Path) -> Installation:
    sites = tmp_path / "sites.yaml"
    sites.write_text(SITES.format(engine=engine.url))
    return copy_of_demo(
        LODESTAR_SITES_FILE=str(sites),
        LODESTAR_LOG_LEVEL="DEBUG",
        LODESTAR_LOG_FILES=",".join(f"{channel}={channel}.log" for channel in CHANNELS),
    )


# --- What happens ---------------------------------------------------------------------------------


def track(base: str) -> None:
    """Events of one person: stored, refused, unknown, too long, and no HTTP at all."""
    user = USER.replace("@", "%40")
    targets = [
        *(f"/api/10101/click/{user}/39/{item}?categorypath=%2F1%2F" for item in range(1, 6)),
        f"/api/10101/login/0b8f6f0e-aaaa-bbbb-cccc-000000000001/{user}",
        f"/api/10101/buy/{user}/40/7?fullprice=2.50EUR",
        f"/api/10101/click/{user}/39/0",
        f"/api/10101/dance/{user}/39/1",
        f"/api/77777/click/{user}/39/1",
        f"/api/10101/click/{user}/39/1?categorypath={'x' * 9000}",
        f"/ebl/10101/click/{user}/39/1",
    ]
    for target in targets:
        assert requests.get(base + target, timeout=60).status_code != 500, target
    body = {"events": [{"event": "click", "userid": USER, "itemtypeid": 39, "itemid": 1}]}
    assert requests.post(f"{base}/api/10101/events/", json=body, timeout=60).status_code < 500
    for line in (
        f"GET /api/10101/click/{user}/39/1 HTTP/9.9",
        f"GET /api/10101/click/{user} 39 HTTP/1.1",
        f"\x01 /api/10101/click/{user}/39/1",
        *malformed(),
    ):
        raw(base, f"{line}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {WRONG_TOKEN}\r\n\r\n")
    for target in spelled_strangely():
        raw(base, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    body = f"user={USER}&item=1\r\n\r\n"
    raw(base, f"POST /api/10101/click/x/39/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{body}")


def malformed() -> list[str]:
    """First lines that are no HTTP, with an id in them."""
    return [
        f"GET /api/10101/login/a b/{USER}/x HTTP/1.1",
        f"GET api/10101/click/{USER}/39/1 HTTP/1.1",
        f"/api/10101/click/{USER}/39/1",
        f"GET /api/10101/click/x/39/1 {USER}",
        f"GET /api/10101/click/x/39/1 HTTP/1.1\r\n{USER}",
        f"GET /api/10101/click/x/39/1 HTTP/1.1\r\nContent-Length: {USER}",
        f"GET /api/10101/click/x/39/1 HTTP/1.1\r\nTransfer-Encoding: {USER}",
    ]


def spelled_strangely() -> list[str]:
    """Addresses that may be sent, and whose ids are hard to tell from the rest."""
    return [
        f"/api/10101/click/o'{USER}/39/1",
        f"/api/10101/%63lick/{USER}/39/1",
        f"/api/10101/Click/{USER}/39/1",
        f"/api/10101/click/{USER}\t/39/1",
        f"/api/10101/click/a%20b/{USER}",
        f"/api%2F10101%2Fclick%2F{USER}/39/1",
        f"/api/v2/10101/o'{USER}/popular.json",
        f"/api/v2/10101/a%20{USER}/nosuch.json",
        f"/ebl/v2/10101/{USER}/popular.json",
    ]


def raw(base: str, request: str) -> None:
    with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(request.encode())
        connection.recv(4096)


def refuse_for_a_while(installation: Installation, events: str) -> None:
    """503: somebody holds the database of the events."""
    with closing(sqlite3.connect(installation.var_dir / "events.sqlite3", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        for base in (installation.base, events):
            answer = requests.get(f"{base}/api/10101/click/{USER}/39/9", timeout=60)
            assert answer.status_code == 503
        holder.execute("ROLLBACK")


def fail(installation: Installation) -> None:
    """500: a table of the events is gone for a moment."""
    there, gone = "tracking_identityedge", "moved_away"
    address = f"{installation.base}/api/v2/10101/{USER.replace('@', '%40')}/front.json"
    for source, target, status in ((there, gone, 500), (gone, there, 200)):
        with closing(sqlite3.connect(installation.var_dir / "events.sqlite3")) as database:
            database.execute(f"ALTER TABLE {source} RENAME TO {target}")
        assert requests.get(address, timeout=60).status_code == status


def ask(base: str) -> None:
    """Recommendations, items and content, with good and bad credentials."""
    user = USER.replace("@", "%40")
    for scenario in ("popular.json?numrecs=3", "front.json?numrecs=abc", "nosuch.json", "popular.xml"):
        requests.get(f"{base}/api/v2/10101/{user}/{scenario}", timeout=60)
    for path in ("/api/10101/item/39/1", "/api/10101/items", f"{REST}/content/id/1", f"{REST}/nosuch"):
        for login in (("10101", OWN_KEY), ("10101", WRONG_KEY), (EXPORT_LOGIN, WRONG_PASSWORD)):
            requests.get(base + path, auth=login, timeout=60)
            requests.post(base + path, auth=login, data=b"{", timeout=60)
        requests.get(base + path, headers={"Authorization": f"Bearer {WRONG_TOKEN}"}, timeout=60)
    requests.get(f"{base}/", cookies={"lodestar_visitor": USER, "YCID": USER}, timeout=60)
    requests.get(f"{base}/nosuch/?token={WRONG_TOKEN}", headers={"Referer": f"{base}/?q={USER}"}, timeout=60)


def notify(base: str) -> None:
    """The site of a customer sends credentials for files that cannot be fetched."""
    event = {
        "action": "FULL",
        "format": "EZ",
        "contentTypeId": 39,
        "contentTypeName": "Article",
        "lang": "eng-GB",
        "uri": ["http://127.0.0.1:9/nowhere"],
        "credentials": {"login": "yc", "password": WRONG_PASSWORD, "token": WRONG_TOKEN},
    }
    document = {"transaction": None, "events": [event]}
    answer = requests.post(f"{base}/api/10101/items", json=document, auth=("10101", OWN_KEY), timeout=60)
    assert answer.status_code == 202, answer.text


def customer_data(base: str) -> None:
    """The webhook with good and bad credentials, tracking, a membership and an erasure of one person."""
    document = {
        "version": 1,
        "request_id": "r1",
        "segment_group_identifier": "nowhere",
        "person_identifier": "email",
        "audiences": [{"id": "a", "identifier": "a", "name": "A"}],
        "actions": [{"op": "add", "audience": "a", "person": USER}],
    }
    for secret, status in ((CLIENT_SECRET, 422), (WRONG_PASSWORD, 401)):
        answer = requests.post(f"{base}/cdp/webhook", json=document, auth=("far", secret), timeout=60)
        assert answer.status_code == status, answer.text
    requests.get(f"{base}/cdp/webhook/batches/{UUID(int=7)}", auth=("far", CLIENT_SECRET), timeout=60)
    ruid = base64.b64encode(USER.encode()).decode()
    for event in ("visit", "favorite", "dance"):
        asked = {"p1": event, "p2": "7", "coid": USER, "ruid": ruid, "consent": "1"}
        answer = requests.get(f"{base}/t/{ACCOUNT}.rsa", params=asked, timeout=60)
        assert answer.status_code == (400 if event == "dance" else 204), answer.text
    said = {"status": "revoked", "coid": USER}
    assert requests.post(f"{base}/t/{ACCOUNT}/consent", json=said, timeout=60).status_code == 204
    keys = {"x-api-key": WRONG_TOKEN, "x-activation-id": "act_1"}
    asked = {"identifierValue": USER}
    requests.get(f"{base}/api/v3/memberships/coid", params=asked, headers=keys, timeout=60)
    for body in ({"UserId": USER}, USER):
        answer = requests.post(f"{base}/gdpr/{ACCOUNT}/DeleteUser", json=body, headers=keys, timeout=60)
        assert answer.status_code == 401


def export(installation: Installation, engine: RecordingEngine) -> list[str]:
    """Exports that succeed, fail and are refused; the secrets that they made."""
    said = [installation.manage("run_export")]
    assert engine.files()
    for status in (401, 503):
        engine.status = status
        said.append(installation.manage("run_export", check=False))
    assert [uri for uri, given in engine.files() if fetched(uri, given)] != []
    return said


def fetched(uri: str, given: dict[str, str]) -> bool:
    """Try every key to a file; a newer notification or export may have taken them away meanwhile."""
    for login in ((given["login"], WRONG_PASSWORD), (given["login"], given["password"])):
        by_login = requests.get(uri, auth=login, timeout=60)
    for token in (WRONG_TOKEN, given["token"]):
        by_token = requests.get(uri, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return by_login.status_code == by_token.status_code == 200


# --- What is found --------------------------------------------------------------------------------


def needles(made: list[str]) -> dict[str, list[bytes]]:
    """What must not be found, in the spellings in which it might."""
    keys = [OWN_KEY, REMOTE_KEY, WRONG_KEY, CLIENT_SECRET]
    secrets = [USER, *keys, EXPORT_PASSWORD, WRONG_PASSWORD, WRONG_TOKEN, *made]
    return {secret: spellings(secret) for secret in secrets}


def spellings(secret: str) -> list[bytes]:
    plain = [secret, secret.replace("@", "%40"), secret.partition("@")[0]]
    # Base64 of a text within a text: three alignments, without the letters that its neighbours decide.
    aligned = [base64.b64encode(b"x" * shift + secret.encode())[4:-4] for shift in range(3)]
    return [*(one.encode() for one in plain), *(one for one in aligned if len(one) >= 12)]


def readings(path: Path) -> Iterator[bytes]:
    """A file as it is and, where it is packed, unpacked."""
    data = path.read_bytes()
    yield data
    if data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    if path.suffix == ".parquet":
        yield repr(duckdb.read_parquet(str(path)).fetchall()).encode()
    if path.suffix == ".sqlite3":
        yield rows_of(path)
    if path.suffix == ".djcache":
        yield zlib.decompress(data[data.index(b"x\x9c") :])


def rows_of(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as database:
        return "\n".join(database.iterdump()).encode()


def found_in(text: bytes, wanted: dict[str, list[bytes]]) -> list[str]:
    return [secret for secret, forms in wanted.items() if any(form in text for form in forms)]


def leaks(installation: Installation, said: list[str], wanted: dict[str, list[bytes]]) -> dict[str, Any]:
    files = [path for path in installation.var_dir.rglob("*") if path.is_file()]
    found = {str(path): found_in(text, wanted) for path in files for text in readings(path)}
    found |= {f"output {number}": found_in(text.encode(), wanted) for number, text in enumerate(said)}
    return {place: secrets for place, secrets in found.items() if secrets}


@pytest.mark.case("T17")
def test_it_leaves_none_of_them_anywhere(installation: Installation, engine: RecordingEngine) -> None:
    events = f"http://127.0.0.1:{free_port()}"
    with installation.serving("--event-port", events.rpartition(":")[2], "--access-log"):
        eventually(lambda: reachable(events), seconds=60, what="the collector")
        token = installation.manage("personalization_token", "--customer=10101").split()[-1]
        opened = requests.get(
            f"{installation.base}{REST}/content/id/1?lang=eng-GB",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert opened.status_code in (200, 204)
        for base in (installation.base, events):
            track(base)
        refuse_for_a_while(installation, events)
        fail(installation)
        ask(installation.base)
        notify(installation.base)
        customer_data(installation.base)
        said = export(installation, engine)
    said += [installation.manage(*command.split()) for command in ("work --once", "build_models")]
    said += [installation.manage("doctor", check=False)]  # It names the exports that the engine refused.
    made = {one[name] for one in engine.credentials() for name in ("password", "token")}

    wanted = needles([token, *made])
    assert leaks(installation, said, wanted) == {}
    for channel, line in (("cdp", "DeleteUser: account 123456"), ("cdp.webhook", "batch 00000000")):
        [file] = installation.var_dir.rglob(f"{channel}.log")
        assert line in file.read_text(), "the log is not as loud as it should be"
    log = (installation.var_dir / "serve.log").read_text()
    assert re.search(r"/api/10101/click/\[user\]/39/1", log), "the log is not as loud as it should be"
    assert found_in(b"x " + USER.encode(), wanted) == [USER]


def reachable(base: str) -> bool:
    try:
        return requests.get(f"{base}/healthz", timeout=10).ok
    except requests.RequestException:
        return False

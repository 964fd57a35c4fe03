"""Servers that refuse, lie, stall or attack: reference `reliability-security-ecosystem.md` A4, R20."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.config.raw_server import RawServer, Script, response

OVER = threading.Event()  # ends what a server of a finished test still does
QUEUED, FAILED, DONE = "queued", "failed", "done"


def hang(_head: bytes) -> Iterable[bytes]:
    OVER.wait(60)
    return ()


def drip(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    while not OVER.wait(0.1):
        yield b" "


def endless(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while not OVER.is_set():
        yield b" " * 65536


def many_headers(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for _ in range(200):
        yield b"X-Header: value\r\n" * 1000
    yield b"Content-Length: 2\r\n\r\n{}"


def answer(status: str = "200 OK", *headers: str, body: bytes = b"") -> Script:
    return lambda _head: [response(status, *headers, body=body)]


def to_itself(head: bytes) -> Iterable[bytes]:
    path = head.split(b" ")[1].decode()
    return [response("302 Found", f"Location: {path}")]


def in_two_minutes(_head: bytes) -> Iterable[bytes]:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    return [response("429 Slow down", f"Retry-After: {later}")]


def moved(status: str, to: str) -> Script:
    return answer(status, f"Location: {to}")


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What a server does, and what becomes of a notification that meets it.

    ``says``: a pattern of the sentence that a person reads; ``waits``: seconds until the next try.
    """

    script: Script
    state: str = QUEUED
    says: str = "did not answer for customer 501: .+"
    waits: float | None = None


BOMB = gzip.compress(b" " * 300_000_000)
WRONG_SHAPE = json.dumps(
    {
        "recommendationItems": [
            None,
            7,
            {"itemId": 10**18, "itemType": 38, "links": [], "attributes": {"title": "x"}},
            {"itemId": {}, "itemType": "38"},
            {"itemId": 1, "itemType": 38, "attributes": [{"key": "title", "values": {"a": 1}}]},
        ]
    }
).encode()
NO_REDIRECT = "answered 30. for customer 501. Redirects are not followed"
BEHAVIOURS: dict[str, Behaviour] = {
    "hangs before the first byte": Behaviour(script=hang),
    "drips": Behaviour(script=drip),
    "500": Behaviour(script=answer("500 Oops"), says="answered 500 for customer 501", waits=5),
    "502": Behaviour(script=answer("502 Bad"), says="answered 502 for customer 501", waits=5),
    "503, again in 7 s": Behaviour(
        script=answer("503 Busy", "Retry-After: 7"), says="answered 503 for customer 501", waits=7
    ),
    "429, again in 120 s": Behaviour(
        script=answer("429 Slow down", "Retry-After: 120"), says="answered 429", waits=120
    ),
    "429, again at a time": Behaviour(script=in_two_minutes, says="answered 429", waits=120),
    "503, again in three years": Behaviour(
        script=answer("503 Busy", "Retry-After: 99999999"), says="answered 503", waits=86_400
    ),
    "301 to another host": Behaviour(
        script=moved("301 Moved", "https://elsewhere.example/"), state=FAILED, says=NO_REDIRECT
    ),
    "302 to this machine": Behaviour(
        script=moved("302 Found", "http://127.0.0.1:1/"), state=FAILED, says=NO_REDIRECT
    ),
    "307 to another host": Behaviour(
        script=moved("307 Temporary", "https://elsewhere.example/"), state=FAILED, says=NO_REDIRECT
    ),
    "308 to this machine": Behaviour(
        script=moved("308 Permanent", "http://127.0.0.1:1/"), state=FAILED, says=NO_REDIRECT
    ),
    "redirects to itself": Behaviour(script=to_itself, state=FAILED, says=NO_REDIRECT),
    "announces 300 MB": Behaviour(
        script=lambda _head: [b"HTTP/1.1 200 OK\r\nContent-Length: 314572800\r\n\r\n{"]
    ),
    "never ends": Behaviour(script=endless),
    "sends a gzip bomb": Behaviour(script=answer("200 OK", "Content-Encoding: gzip", body=BOMB)),
    "promises more than it sends": Behaviour(
        script=lambda _head: [b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"recommend']
    ),
    "sends more than it promises": Behaviour(
        script=lambda _head: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + b"x" * 999],
        state=DONE,
        says="",
    ),
    "sends 200,000 headers": Behaviour(script=many_headers),
    "no JSON": Behaviour(script=answer(body=b'{"recommendationItems": ['), state=DONE, says=""),
    "JSON of the wrong shape": Behaviour(script=answer(body=WRONG_SHAPE), state=DONE, says=""),
    "HTML": Behaviour(script=answer(body=b"<html>Log in to the network</html>"), state=DONE, says=""),
    "an empty 200": Behaviour(script=answer(), state=DONE, says=""),
    "closes at once": Behaviour(script=lambda _head: []),
    "401": Behaviour(script=answer("401 No"), state=FAILED, says="refused the license key of customer 501"),
}
# --- TLS ------------------------------------------------------------------------------------------


class TlsServer(RawServer):
    """Answers as it is told, over TLS with a context of the test's."""

    def __init__(self, script: Script, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(script)
        self.url = f"https://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            super()._serve(self.context.wrap_socket(connection, server_side=True))


class Authority:
    """An authority of the test's own; its certificate is the file ``bundle``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        own = builder(self.name, self.name, self.key).add_extension(basic, critical=True)
        self.certificate = own.sign(self.key, hashes.SHA256())
        self.bundle = folder / "authority.pem"
        self.bundle.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, *, host: str = "127.0.0.1", days: int = 2, signed: bool = True) -> ssl.SSLContext:
        """A server's context whose certificate is for ``host`` and ends in ``days`` (below 0: has ended)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issuer, signer = (self.name, self.key) if signed else (subject, key)
        names = [x509.IPAddress(ip_address(host))] if host[0].isdigit() else [x509.DNSName(host)]
        made = builder(subject, issuer, key, days=days)
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        file = self.folder / f"{host}-{days}-{signed}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def of_1999(self) -> ssl.SSLContext:
        """A server that knows nothing newer than TLS 1.0."""
        context = self.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        return context


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int = 2
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
    )


@contextlib.contextmanager
def tls_server(script: Script, context: ssl.SSLContext) -> Iterator[TlsServer]:
    server = TlsServer(script, context)
    try:
        yield server
    finally:
        server.listener.close()


# --- Below TCP ------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full, so that a connection to it is never made."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]

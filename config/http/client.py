"""The only way out of this installation. Duties: `reliability-security-ecosystem.md` B4."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from django.conf import settings

from config.files import sync
from config.http import breaker, metrics
from config.http.addresses import parts_of, screen
from config.http.answer import (
    Answer,
    Deadline,
    Downloaded,
    Incoming,
    OutgoingError,
    Refused,
    TooLarge,
    TooSlow,
    Unreachable,
)
from config.http.own import is_own
from config.http.remote import open_remote
from config.http.same_thread import open_own

logger = logging.getLogger("personalization")

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class SafeClient:
    """Calls other systems for one ``purpose``, which the log names.

    ``budget``: seconds for the whole call; ``max_bytes``: longest decoded body. Raises nothing but
    :class:`OutgoingError`. A call to this installation itself runs in the calling thread, where the
    budget cannot interrupt it. Redirects are not followed: the answer has their status.
    """

    purpose: str
    budget: float = 30.0
    max_bytes: int = MEBIBYTE

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        basic: tuple[str, str] | None = None,
        bearer: str = "",
        trusted: bool = False,
    ) -> Answer:
        """Make one call and return its complete answer, whatever its status.

        ``trusted``: host and port come from the operator's sites file or environment and are allowed
        as they stand; every other address must be public and https.
        """
        sent = with_credentials(headers or {}, basic=basic, bearer=bearer)
        with self._opened(method.upper(), url, headers=sent, content=content, trusted=trusted) as incoming:
            body = b"".join(self._counted(incoming, url, limit=self.max_bytes))
            return Answer(status=incoming.status, headers=incoming.headers, body=body)

    def download(
        self,
        url: str,
        *,
        path: Path,
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        bearer: str = "",
        trusted: bool = False,
        max_bytes: int | None = None,
    ) -> Downloaded:
        """Fetch ``url`` into the file ``path``, which appears complete or not at all.

        The file is only written when the status is 200; otherwise the answer holds the body.
        Raises :class:`OutgoingError`, and OSError when the disk does not take the file.
        """
        sent = with_credentials(headers or {}, basic=basic, bearer=bearer)
        with self._opened("GET", url, headers=sent, content=b"", trusted=trusted) as incoming:
            if incoming.status != 200:
                body = b"".join(self._counted(incoming, url, limit=self.max_bytes))
                return Downloaded(status=incoming.status, headers=incoming.headers, body=body)
            parts = self._counted(incoming, url, limit=self.max_bytes if max_bytes is None else max_bytes)
            size, digest = write_whole(path, parts)
        return Downloaded(status=200, headers=incoming.headers, bytes=size, sha256=digest)

    @contextmanager
    def _opened(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, trusted: bool
    ) -> Iterator[Incoming]:
        deadline = Deadline(self.budget)
        host = urlsplit(url).netloc.rpartition("@")[2]
        status: int | str = "no answer"
        try:
            with self._channel(method, url, headers, content, trusted, deadline) as incoming:
                status = incoming.status
                yield incoming
        except OutgoingError as error:
            status = type(error).__name__
            raise
        finally:
            metrics.note(self.purpose, host, status=status, seconds=deadline.elapsed)
            if deadline.left < 0:
                logger.warning(
                    "%s: %s took %d ms, more than its budget of %d ms.",
                    self.purpose,
                    host,
                    deadline.elapsed * 1e3,
                    self.budget * 1e3,
                )
            # Host, status and time only: paths carry user ids, queries carry secrets.
            logger.debug(
                "%s: %s %s -> %s in %d ms", self.purpose, method, host, status, deadline.elapsed * 1e3
            )

    @contextmanager
    def _channel(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        trusted: bool,  # noqa: FBT001 - private, the same order as its only caller's
        deadline: Deadline,
    ) -> Iterator[Incoming]:
        _scheme, host, port = parts_of(url)
        check_headers(headers)
        if is_own(url):
            incoming = open_own(method, url, headers=headers, content=content)
            try:
                yield incoming
            finally:
                incoming.close()
            return
        # Before the name is looked up: a resolver that hangs is a failure of the host like any other.
        key = f"{host}:{port}"
        breaker.before(key)
        good: bool | None = None  # neither, when it was we who would not go on
        try:
            target = screen(url, trusted=trusted, seconds=min(deadline.left, 5.0))
            request = requests.Request(
                method, url, headers=headers_of(headers), data=content or None, auth=Presented.of(headers)
            )
            incoming = open_remote(request, target=target, deadline=deadline)
            try:
                yield incoming
            finally:
                incoming.close()
            good = incoming.status < 500
        except (Unreachable, TooSlow):
            good = False
            raise
        finally:
            if good is not None:
                breaker.after(key, good=good)

    def _counted(self, incoming: Incoming, url: str, *, limit: int) -> Iterator[bytes]:
        host = urlsplit(url).netloc
        announced = incoming.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > limit:
            raise TooLarge(f"{host} announces {announced} bytes; at most {limit} are read.")
        total = 0
        for chunk in incoming.chunks:
            total += len(chunk)
            if total > limit:
                raise TooLarge(f"{host} sent more than the {limit} bytes that are read.")
            yield chunk


def with_credentials(
    headers: Mapping[str, str], *, basic: tuple[str, str] | None, bearer: str
) -> dict[str, str]:
    result = dict(headers)
    if basic:
        pair = base64.b64encode(f"{basic[0]}:{basic[1]}".encode()).decode()
        result["Authorization"] = f"Basic {pair}"
    if bearer:
        result["Authorization"] = f"Bearer {bearer}"
    return result


class Presented(requests.auth.AuthBase):
    """Credentials as the library wants them: it takes them away itself where they must not go."""

    def __init__(self, value: str) -> None:
        self.value = value

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Presented | None:
        return cls(headers["Authorization"]) if "Authorization" in headers else None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self.value
        return request


def headers_of(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Authorization"}


def check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii() or not name.isascii():
            raise Refused(f"The header {name!r} holds characters that HTTP does not carry.")


def write_whole(path: Path, parts: Iterator[bytes]) -> tuple[int, str]:
    """Write, sync and rename, so that nobody ever sees half a file; returns size and SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    check_free_space(path.parent)
    temporary = path.with_name(f".tmp-{os.getpid()}-{os.urandom(4).hex()}-{path.name}")
    digest, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as handle:
            for part in parts:
                handle.write(part)
                digest.update(part)
                size += len(part)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)
    return size, digest.hexdigest()


def check_free_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < settings.DISK_FLOOR_BYTES:
        raise OSError(f"Only {free} bytes are free at {folder}; {settings.DISK_FLOOR_BYTES} must stay free.")

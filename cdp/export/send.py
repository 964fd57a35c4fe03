"""The wire: ``POST /stream/<account>`` (reference `cdp.md` 1.5)."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from cdp.export.chunks import Chunk
from config.http import Answer, OutgoingError, Refused, SafeClient, TooLarge
from config.http.own import is_own

logger = logging.getLogger("cdp")

DELAYS = (1.0, 2.0, 4.0, 8.0)
BUDGET_SECONDS = 60.0
# So long a receiver may have us wait for one chunk, all its Retry-After together.
MOST_PATIENCE = 3600.0
SMALLEST_GZIP = 1024
BUSY = 429
Say = Callable[[str], None]


class StreamError(Exception):
    """A chunk was not accepted; the message is a sentence without the stream id."""


@dataclass(kw_only=True)
class Stream:
    """Sends the chunks of one run. ``say`` hears why it waits."""

    url: str
    stream_id: str
    run_id: str
    is_draft: bool
    say: Say
    takes_gzip: bool = False

    def send(self, chunk: Chunk, *, sequence: int) -> None:
        """Return when the chunk is accepted. Raises :class:`StreamError`."""
        body, headers = self.encoded(chunk.body)
        headers |= self.headers(sequence, is_final=chunk.is_final)
        tries, waited = 0, 0.0
        while True:
            answer, reason = self.attempt(body, headers)
            if answer is not None and answer.ok:
                self.takes_gzip = "gzip" in answer.headers.get("accept-encoding", "") and not is_own(self.url)
                return
            if answer is not None and answer.status != BUSY and answer.status < 500:
                raise StreamError(self.refusal(answer, sequence))
            asked = answer.retry_after() if answer is not None else None
            if asked and waited + asked <= MOST_PATIENCE:
                seconds, waited = asked, waited + asked  # asked to wait is no failed try
            elif not asked and tries < len(DELAYS):
                seconds, tries = DELAYS[tries], tries + 1
            else:
                raise StreamError(f"Chunk {sequence} was not accepted: {reason}. Nothing more is tried.")
            self.say(f"Chunk {sequence}: {reason}; trying again in {seconds:g} s.")
            logger.warning(
                "Stream run %s, chunk %d: %s; waiting %g s.", self.run_id, sequence, reason, seconds
            )
            time.sleep(seconds)

    def attempt(self, body: bytes, headers: dict[str, str]) -> tuple[Answer | None, str]:
        """The answer if there was one, and in words what was wrong. Raises :class:`StreamError`."""
        client = SafeClient(purpose="cdp stream", budget=BUDGET_SECONDS)
        try:
            answer = client.request("POST", self.url, headers=headers, content=body, trusted=True)
        except (Refused, TooLarge) as error:
            raise StreamError(str(error)) from error
        except OutgoingError as error:
            return None, str(error).rstrip(".")
        return answer, f"the receiver answered {answer.status}"

    def encoded(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        """Compressed only for a receiver that said it takes that (RFC 7694), since not every one does."""
        headers = {"Content-Type": "application/json"}
        if not self.takes_gzip or len(body) < SMALLEST_GZIP:
            return body, headers
        # Level 3 and no time stamp: equal chunks have equal bytes, as a repetition must.
        return gzip.compress(body, 3, mtime=0), headers | {"Content-Encoding": "gzip"}

    def headers(self, sequence: int, *, is_final: bool) -> dict[str, str]:
        found = {"x-streamid": self.stream_id, "x-run-id": self.run_id, "x-run-sequence": str(sequence)}
        if self.is_draft:
            found["x-isdraft"] = "true"
        if is_final:
            found["x-run-final"] = "true"
        return found

    def refusal(self, answer: Answer, sequence: int) -> str:
        detail = self.detail(answer)
        said = f": {detail.rstrip('.')}." if detail else "."
        hint = {
            401: " Is the stream id complete?",
            404: " Does the account exist, and has it a dataflow with this stream id?",
            409: " The data have changed since this run began: start a new one, without --run-id.",
            413: " A smaller --chunk-size may help.",
        }.get(answer.status, "")
        if 300 <= answer.status < 400:
            hint = " Redirects are not followed: correct stream_endpoint in the sites file."
        return f"Chunk {sequence} was refused with {answer.status}{said}{hint}"

    def detail(self, answer: Answer) -> str:
        try:
            found = answer.json()
        except OutgoingError:
            return ""
        words = found.get("detail") or found.get("error") if isinstance(found, dict) else ""
        return str(words or "").replace(self.stream_id, "[stream id]")[:300]

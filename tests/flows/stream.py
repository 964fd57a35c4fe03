"""A dataflow of users in a real installation, and a source that delivers into it over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import requests

from tests.flows.installation import Installation

ACCOUNT = 123456
FIELDS = {"id": "integer", "email": "string", "city": "string", "round": "integer", "check": "integer"}
PREPARE = """
import orjson
from cdp.dataflows import delivery, editing, lifecycle, mapping, schemas, stages, stream_ids, trial
from cdp.dataflows.delivery import Chunk
from cdp.dataflows.schemas import FieldSpec
from cdp.profiles import accounts

account = accounts.find({account}) or accounts.create({account}, name="Shop")
flow = lifecycle.create(account, name="Users {mode}")
rows = orjson.dumps([{row!r}])
delivery.take(flow, Chunk(body=rows, content_type="application/json", rows=1, is_draft=True))
flow.refresh_from_db()
editing.validate(flow)
fields = [FieldSpec(name, kind) for name, kind in {fields!r}.items()]
schema = schemas.create(
    account, name="Users {mode}", kind="personal", fields=fields, identifier="userid")
filled = mapping.proposed(schema, list(mapping.column_types(stages.in_hand(flow))))
update = {{"fields": dict(filled.fields) | {{"userid": "id"}}, "write_mode": "{mode}"}}
editing.set_mappings(flow, [filled.model_copy(update=update)])
assert trial.test(flow).passed
lifecycle.activate(flow)
print(stream_ids.stream_id(flow))
"""


def row(number: int, *, round_: int = 0) -> dict[str, Any]:
    """A user as of a round; ``check`` follows from the others, so that a mixture of rounds shows."""
    return {
        "id": number,
        "email": f"user-{number}@example.org",
        "city": f"City {(number + round_) % 100}",
        "round": round_,
        "check": number * 7 + round_,
    }


def prepare(site: Installation, *, mode: str = "append") -> str:
    """Make an account and a dataflow in force; its stream id."""
    code = PREPARE.format(account=ACCOUNT, mode=mode, row=row(1), fields=FIELDS)
    return site.python(code).split()[-1]


class Source:
    """Sends the chunks of one run; whatever is not answered is sent again, as the reference has it."""

    def __init__(self, site: Installation, stream_id: str) -> None:
        self.url = f"{site.base}/stream/{ACCOUNT}"
        self.stream_id = stream_id
        self.run = str(uuid.uuid4())
        self.session = requests.Session()
        self.broken = 0

    def send(self, rows: Sequence[dict[str, Any]], *, sequence: int, final: bool) -> dict[str, Any]:
        headers = {
            "x-streamid": self.stream_id,
            "content-type": "application/json",
            "x-run-id": self.run,
            "x-run-sequence": str(sequence),
            "x-run-final": "true" if final else "false",
        }
        answer = self.session.post(self.url, data=orjson.dumps(rows), headers=headers, timeout=60)
        if answer.status_code >= 500:
            raise requests.RequestException(answer.text)
        assert answer.status_code == 202, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def send_all(self, rows: Sequence[dict[str, Any]], *, chunk: int, wait: Callable[[], None]) -> None:
        """All rows and the end of the run; ``wait`` follows every broken request."""
        chunks = [rows[place : place + chunk] for place in range(0, len(rows), chunk)]
        for sequence, part in enumerate(chunks):
            while True:
                try:
                    self.send(part, sequence=sequence, final=sequence + 1 == len(chunks))
                    break
                except requests.RequestException:
                    self.broken += 1
                    wait()

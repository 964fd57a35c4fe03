"""One request -> checked rows. Everything that can be wrong with an event is found here, before the writer.

The same function serves the collector's socket and the Django view. It touches neither network nor event
database; the only look-up is the customer's account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from config.customers import directory
from config.customers.directory import CustomerAccount
from tracking.collector import answers, batch, gate, path, quick, single
from tracking.collector import body as bodies
from tracking.collector.answers import Answer
from tracking.collector.rows import EdgeRow, EventRow
from tracking.events import rule_of
from tracking.fields import BadEvent, shown

Find = Callable[[str], CustomerAccount | None]
OPT_OUTS = frozenset(CustomerAccount.opt_out_headers)
METHODS = frozenset(answers.METHODS.split(", "))


class Accepted(NamedTuple):
    """What a valid request means: rows to commit (none for a thrown-away one), then the answer."""

    rows: Sequence[EventRow]
    edges: Sequence[EdgeRow]
    answer: Answer


def accept(
    target: bytes,
    *,
    method: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    find: Find = directory.find,
    now: int | None = None,
) -> Accepted:
    """Turn one request into rows.

    ``target``: the raw request target, never decoded. ``headers``: names in lower case. ``find``: looks the
    customer up. ``now``: microseconds since 1970, for tests. Raises :class:`BadEvent` with the status and
    a sentence. Rules: engine-protocol, section 1; bad inputs: reliability-security-ecosystem, B6.
    """
    if method == "GET" and not body and is_plain(headers):
        plain = quick.row(target, find=find, now=now)
        if plain is not None:
            return Accepted((plain,), (), answers.success(headers))
    return examine(target, method=method, headers=headers, body=body, find=find, now=now)


def examine(
    target: bytes,
    *,
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    find: Find,
    now: int | None,
) -> Accepted:
    """:func:`accept` for every request, part by part and rule by rule."""
    if method not in METHODS:
        allow, use = (batch.METHODS, "POST") if is_batch(target) else (answers.METHODS, "GET or POST")
        raise BadEvent(405, f"method {shown(method)} is not allowed; use {use}", allow=allow)
    if method == "OPTIONS":
        return Accepted([], [], answers.preflight(batch.METHODS if is_batch(target) else answers.METHODS))
    parts = path.split(target)
    account = customer_of(parts, find)
    received = time.time_ns() // 1000 if now is None else now
    try:
        rows, edges, answer = of_customer(
            account, parts, method=method, headers=headers, body=body, received=received
        )
        if method == "HEAD" or is_prefetch(headers) or is_unwanted_robot(account, headers):
            return Accepted([], [], answer)
        if not batch.is_meant(parts):  # which is charged before it is read
            gate.budgets.spend(account, events=len(rows), now=received)
    except BadEvent as reason:
        reason.customer_id = account.customer_id
        raise
    return Accepted(rows, edges, answer)


def of_customer(
    account: CustomerAccount,
    parts: path.Parts,
    *,
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    received: int,
) -> Accepted:
    """What the request says, once it is known whose it is."""
    gate.admit(account, headers)
    nobody = opts_out(account, headers)
    if batch.is_meant(parts):
        if method != "POST":
            raise BadEvent(405, f"method {method} is not allowed; use POST", allow=batch.METHODS)
        read = batch.read(account, headers=headers, body=body, received=received, nobody=nobody)
        return Accepted(*read)
    rule = rule_of(path.decode(parts.event, "event"))
    sent = parameters_of(parts.query, headers, body)
    rows, edges = single.rows_of(account, rule, parts.rest, sent, received=received, nobody=nobody)
    return Accepted(rows, edges, answers.success(headers))


def is_batch(target: bytes) -> bool:
    """Whether an address, which may be a wrong one, is that of batches."""
    try:
        return batch.is_meant(path.split(target))
    except BadEvent:
        return False


def customer_of(parts: path.Parts, find: Find) -> CustomerAccount:
    customer_id = path.decode(parts.customer, "customerid")
    account = find(customer_id)
    if account is None:
        # Only what may be shown: the id as such where it is one.
        named = customer_id if customer_id.isalnum() and len(customer_id) <= 64 else shown(customer_id)
        raise BadEvent(404, f"customer {named} not found")
    return account


def opts_out(account: CustomerAccount, headers: Mapping[str, str]) -> bool:
    """Whether the sender asks not to be followed, and the customer honours how."""
    return any(headers.get(name, "").strip() == "1" for name in account.opt_out_headers)


def parameters_of(query: bytes, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    found = [(name, path.decode_value(value, name)) for name, value in path.pairs(query)]
    return found + bodies.parameters(headers, body) if body else found


def is_plain(headers: Mapping[str, str]) -> bool:
    """Whether nothing in the headers decides what becomes of the event."""
    robot = gate.is_robot(headers.get("user-agent", ""))
    return not robot and OPT_OUTS.isdisjoint(headers) and not is_prefetch(headers)


def is_unwanted_robot(account: CustomerAccount, headers: Mapping[str, str]) -> bool:
    return not account.gate.stores_robots and gate.is_robot(headers.get("user-agent", ""))


def is_prefetch(headers: Mapping[str, str]) -> bool:
    """A browser that loads a page nobody may ever see tells nothing of its visitor."""
    return "prefetch" in headers.get("sec-purpose", "") or headers.get("purpose", "") == "prefetch"

"""One request -> checked rows. Everything that can be wrong with an event is found here, before the writer.

The same function serves the collector's socket and the Django view. It touches neither network nor event
database; the only look-up is the customer's account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from config.customers import directory
from config.customers.directory import CustomerAccount
from tracking import fields
from tracking.collector import answers, historic, path, quick
from tracking.collector import body as bodies
from tracking.collector.answers import Answer
from tracking.collector.rows import EdgeRow, EventRow
from tracking.events import MOST_RENDERED, NOT_DEFINED, Rule, Shape, rule_of
from tracking.fields import BadEvent, shown
from tracking.identity import pseudonym

Find = Callable[[str], CustomerAccount | None]
item_type_of = fields.whole(1, fields.BIGGEST_ID)
METHODS = frozenset(answers.METHODS.split(", "))


class Accepted(NamedTuple):
    """What a valid request means: rows to commit (none for a thrown-away one), then the answer."""

    rows: Sequence[EventRow]
    edges: Sequence[EdgeRow]
    answer: Answer


@dataclass(slots=True)
class Subject:
    """Who and what an event is about, read from the path."""

    user: str | None  # None: the user id is missing, so the event is thrown away
    item_type: int | None = None
    items: tuple[str, ...] = ("",)
    source: str = ""
    item_as_sent: tuple[bytes, bytes] | None = None  # type and id, still encoded


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
    if method == "GET" and not body and not is_prefetch(headers):
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
        raise BadEvent(405, f"method {shown(method)} is not allowed; use GET or POST", allow=answers.METHODS)
    if method == "OPTIONS":
        return Accepted([], [], answers.PREFLIGHT)
    parts = path.split(target)
    account = customer_of(parts, find)
    rule = rule_of(path.decode(parts.event, "event"))
    subject = subject_of(rule, parts.rest, account)
    sent = parameters_of(parts.query, headers, body)
    values = read(rule, sent)
    received = time.time_ns() // 1000 if now is None else now
    answer = answers.success(headers)
    if subject.user is None or not subject.items or method == "HEAD" or is_prefetch(headers):
        return Accepted([], [], answer)
    ts = moment_of(values, sent, subject, account, received)
    if rule.shape is Shape.LOGIN:
        return login(account.customer_id, subject, values, ts=ts, received=received, answer=answer)
    who = pseudonym_of(account.customer_id, subject.user)
    rows = [
        EventRow(
            account.customer_id,
            rule.code,
            who,
            subject.item_type,
            item,
            ts,
            received,
            seq=number,
            **values,
        )
        for number, item in enumerate(subject.items)
    ]
    return Accepted(rows, [], answer)


def customer_of(parts: path.Parts, find: Find) -> CustomerAccount:
    customer_id = path.decode(parts.customer, "customerid")
    account = find(customer_id)
    if account is None:
        # Only what may be shown: the id as such where it is one.
        named = customer_id if customer_id.isalnum() and len(customer_id) <= 64 else shown(customer_id)
        raise BadEvent(404, f"customer {named} not found")
    return account


def subject_of(rule: Rule, rest: list[bytes], account: CustomerAccount) -> Subject:
    """Read what follows the event code. Raises 400 when parts are missing or left over."""
    if rule.shape is Shape.USER:
        expect(rule, rest, 1)
        return Subject(user_of(rest[0], "userid"))
    if rule.shape is Shape.LOGIN:
        expect(rule, rest, 2)
        return login_subject(rest)
    if rule.shape is Shape.ITEMS and len(rest) == 3 and not rest[2]:
        # The known client sends its first ping without items.
        return Subject(user_of(rest[0], "userid"), items=())
    expect(rule, rest, 3)
    item_type = item_type_of("itemtypeid", path.decode(rest[1], "itemtypeid"))
    assert isinstance(item_type, int)  # noqa: S101 - narrows the parser's type
    return Subject(
        user_of(rest[0], "userid"),
        item_type,
        items_of(rule, rest[2], alphanumeric=account.alphanumeric_items),
        item_as_sent=(rest[1], rest[2]),
    )


def expect(rule: Rule, rest: list[bytes], count: int) -> None:
    if len(rest) == count + 1 and not rest[-1]:
        rest.pop()  # one slash at the end is harmless
    if len(rest) != count or (count > 1 and not rest[-1] and rule.shape is not Shape.LOGIN):
        raise BadEvent(400, f"{rule.code} must be followed by /{rule.shape.value}; got {len(rest)} parts")


def user_of(raw: bytes, name: str) -> str | None:
    """The user id, None when it is missing. It is never shown back: messages end up in logs."""
    user = path.decode(raw, name)
    if len(user.encode()) > fields.LONGEST_USER_BYTES:
        raise BadEvent(
            400, f"{name} must be at most 1,024 bytes long (max 1,024); got {len(user.encode())} bytes"
        )
    return user or None


def login_subject(rest: list[bytes]) -> Subject:
    source, target = user_of(rest[0], "sourceuserid"), user_of(rest[1], "targetuserid")
    if source is None or target is None:
        return Subject(None)
    if source == target:
        raise BadEvent(400, "sourceuserid and targetuserid must differ; got the same user twice")
    return Subject(target, source=source)


def items_of(rule: Rule, raw: bytes, *, alphanumeric: bool) -> tuple[str, ...]:
    """The item ids in one spelling; a bundle is a set, in the order given."""
    if rule.shape is not Shape.ITEMS:
        return (fields.item_id(path.decode(raw, "itemid"), alphanumeric=alphanumeric),)
    if alphanumeric:
        # An encoded comma belongs to a string id, a literal one separates.
        texts = [path.decode(piece, "itemid") for piece in raw.split(b",")]
    else:
        texts = path.decode(raw, "itemid").split(",")
    if len(texts) > MOST_RENDERED:
        raise BadEvent(
            400, f"itemid must be a list of at most {MOST_RENDERED} ids (max 500); got {len(texts)}"
        )
    return tuple(dict.fromkeys(fields.item_id(text, alphanumeric=alphanumeric) for text in texts))


def parameters_of(query: bytes, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    found = [(name, path.decode_value(value, name)) for name, value in path.pairs(query)]
    return found + bodies.parameters(headers, body) if body else found


def read(rule: Rule, sent: list[tuple[str, str]]) -> dict[str, Any]:
    """The rule's parameters as columns. Unknown ones are ignored, repeated ones refused."""
    values: dict[str, Any] = {}
    for name, text in sent:
        parameter = rule.by_name.get(name)
        if parameter is None:
            continue
        if parameter.column in values:
            raise BadEvent(400, f"{parameter.name} given twice")
        values[parameter.column] = parameter.parse(parameter.name, text)
    for parameter in rule.required:
        if parameter.column not in values:
            raise BadEvent(400, f"{parameter.name} must be given for {rule.code}: {parameter.rule}")
    if rule.code in ("buy", "wishlist"):
        settle_price(rule, values)
    return values


def settle_price(rule: Rule, values: dict[str, Any]) -> None:
    """Reduce the spellings of a price to `price` and `currency`."""
    full, minor = values.pop("fullprice", None), values.pop("minor_price", None)
    if full is not None:
        values["price"], values["currency"] = fields.split_price(full)
    elif minor is not None:
        values["currency"] = values.get("currency", "EUR")
        values["price"] = fields.from_minor_units(minor, values["currency"])
    else:
        values.pop("currency", None)
    if rule.code == "buy":
        values.setdefault("quantity", 1)


def is_prefetch(headers: Mapping[str, str]) -> bool:
    """A browser that loads a page nobody may ever see tells nothing of its visitor."""
    return "prefetch" in headers.get("sec-purpose", "") or headers.get("purpose", "") == "prefetch"


def moment_of(
    values: dict[str, Any],
    sent: list[tuple[str, str]],
    subject: Subject,
    account: CustomerAccount,
    received: int,
) -> int:
    """When it happened: now, or the signed time of a replay."""
    past = values.pop("overridetimestamp", None)
    values.pop("signature", None)
    if past is None:
        return received
    if subject.item_as_sent is None:
        raise BadEvent(400, "overridetimestamp must be sent with an event about an item")
    ts = historic.moment(past, now=received)
    item = "&".join(path.decode(piece, "itemid") for piece in subject.item_as_sent)
    historic.check_signature(account.customer_id, item=item, parameters=sent)
    return ts


def pseudonym_of(customer_id: str, user: str) -> str:
    return "" if user == NOT_DEFINED else pseudonym(customer_id, user)


def login(
    customer_id: str, subject: Subject, values: dict[str, Any], *, ts: int, received: int, answer: Answer
) -> Accepted:
    """The login itself, and the edge that hands the source's history over to the target."""
    target = pseudonym_of(customer_id, subject.user or "")
    source = pseudonym_of(customer_id, subject.source)
    row = EventRow(customer_id, "login", target, None, "", ts, received, **values)
    edges = [EdgeRow(customer_id, source, target, ts)] if source and target else []
    return Accepted([row], edges, answer)

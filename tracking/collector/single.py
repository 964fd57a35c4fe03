"""One event: what was sent of it -> checked rows. The intake and batches share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.customers import signing
from config.customers.directory import CustomerAccount
from tracking import fields
from tracking.collector import historic, path
from tracking.collector.rows import OF_PERSON, EdgeRow, EventRow
from tracking.events import MOST_RENDERED, NOT_DEFINED, Rule, Shape
from tracking.fields import BadEvent
from tracking.identity import pseudonym
from tracking.rotation import keys

item_type_of = fields.whole(1, fields.BIGGEST_ID)


@dataclass(slots=True)
class Subject:
    """Who and what an event is about, read from the path."""

    user: str | None  # None: the user id is missing, so the event is thrown away
    item_type: int | None = None
    items: Mapping[str, int] = field(default_factory=lambda: {"": 0})  # id -> its last place in the bundle
    source: str = ""
    item_as_sent: tuple[bytes, bytes] | None = None  # type and id, still encoded


def rows_of(
    account: CustomerAccount,
    rule: Rule,
    rest: list[bytes],
    sent: list[tuple[str, str]],
    *,
    received: int,
    nobody: bool,
) -> tuple[list[EventRow], list[EdgeRow]]:
    """The rows of one event; none when it is to be thrown away. Raises :class:`BadEvent`.

    ``rest``: what follows the code in the path, still percent-encoded. ``sent``: names and values.
    ``nobody``: the event counts, but is linked to no person, as with ``not_defined``.
    """
    subject = subject_of(rule, rest, account)
    values = read(rule, sent)
    if subject.user is None or not subject.items:
        return [], []
    signature = values.pop("usersig", "")
    if withheld(values.pop("consent", None), account) or nobody:
        subject.user = subject.source = NOT_DEFINED
        for name in OF_PERSON:
            values.pop(name, None)
    refuse_unsigned(account, subject, signature)
    ts = moment_of(values, sent, subject, account, received)
    if rule.shape is Shape.LOGIN:
        return login(account.customer_id, subject, values, ts=ts, received=received)
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
        for item, number in subject.items.items()
    ]
    return rows, []


def refuse_unsigned(account: CustomerAccount, subject: Subject, signature: str) -> None:
    """Raise :class:`BadEvent` 403 for an account that the sender may not speak for."""
    if not account.gate.signed_users:
        return
    if not signing.may_speak(account, subject.user or "", signature):
        raise BadEvent(
            403, f"userid must come with {signing.PARAMETER}, the site's signature of this very id"
        )
    if signing.needs_signature(subject.source):
        raise BadEvent(403, "sourceuserid must be the random id of a visitor; accounts are not joined")


def withheld(consent: str | None, account: CustomerAccount) -> bool:
    """Whether to link the event to nobody: consent was refused, or is missing where it is due."""
    return consent == "0" or (account.consent_required and consent != "1")


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
        return Subject(user_of(rest[0], "userid"), items={})
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


def items_of(rule: Rule, raw: bytes, *, alphanumeric: bool) -> dict[str, int]:
    """The item ids in one spelling, with their places. A bundle is a set, in the order given.

    Of an item that is named twice the last place counts: so the last row of a bundle tells how many ids
    there were, and the debugger sees that some came twice.
    """
    if rule.shape is not Shape.ITEMS:
        return {fields.item_id(path.decode(raw, "itemid"), alphanumeric=alphanumeric): 0}
    if alphanumeric:
        refuse_many_items(raw.count(b",") + 1)
        # An encoded comma belongs to a string id, a literal one separates.
        texts = [path.decode(piece, "itemid") for piece in raw.split(b",")]
    else:
        text = path.decode(raw, "itemid")
        refuse_many_items(text.count(",") + 1)
        texts = text.split(",")
    return {fields.item_id(text, alphanumeric=alphanumeric): place for place, text in enumerate(texts)}


def refuse_many_items(count: int) -> None:
    """Before they are decoded, which would cost time for each."""
    if count > MOST_RENDERED:
        raise BadEvent(400, f"itemid must be a list of at most {MOST_RENDERED} ids (max 500); got {count}")


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
    customer_id: str, subject: Subject, values: dict[str, Any], *, ts: int, received: int
) -> tuple[list[EventRow], list[EdgeRow]]:
    """The login itself, and the edge that hands the source's history over to the target."""
    target = pseudonym_of(customer_id, subject.user or "")
    row = EventRow(customer_id, "login", target, None, "", ts, received, **values)
    return [row], edges_of(customer_id, subject.source, subject.user or "", ts=ts)


def edges_of(customer_id: str, source: str, target: str, *, ts: int) -> list[EdgeRow]:
    """The edge between two raw ids; none where one is nobody.

    While keys are rotated it is stored in every generation: the form of today does not lead back to those
    under which the source's earlier events stand.
    """
    if NOT_DEFINED in (source, target):
        return []
    ends = zip(keys.kept(customer_id, source), keys.kept(customer_id, target), strict=True)
    return [EdgeRow(customer_id, *pair, ts) for pair in ends]

"""Taking one webhook request: once, whole, and at once or through the queue (reference `cdp.md` 4.4, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cdp import configuration
from cdp.configuration import Activation
from cdp.models import WebhookRequest
from cdp.webhook import order, queue
from cdp.webhook.apply import Outcome, Step
from cdp.webhook.lane import arriving, changing
from cdp.webhook.message import Audience, Message
from cdp.webhook.people import resolve
from personalization.segments import changes
from personalization.segments.changes import SegmentFault
from personalization.segments.models import Segment, SegmentGroup

LONGEST_IDENTIFIER = 64


class Refused(Exception):
    """The request cannot be taken; nothing of it was stored."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class Taken(NamedTuple):
    status: int
    answer: dict[str, Any]
    is_repetition: bool = False


def take(message: Message, activation: Activation, *, digest: str) -> Taken:
    """Apply or queue the request in one transaction. ``digest``: SHA-256 of its body, in hex.

    Raises :class:`Refused`.
    """
    if message.segment_group_identifier != activation.segment_group_identifier:
        raise Refused(
            403,
            "segment_group_mismatch",
            "The segment group is not the one that the sites file has for this client.",
        )
    group = SegmentGroup.objects.filter(identifier=message.segment_group_identifier).first()
    if group is None:
        raise Refused(422, "segment_group_unknown", "The segment group does not exist on this site.")
    with arriving(activation.client_id):
        known = WebhookRequest.objects.filter(
            client_id=activation.client_id, request_id=message.request_id
        ).first()
        if known is not None:
            if known.sha256 != digest:
                raise Refused(
                    409, "request_id_reused", "Another request had this request_id and another body."
                )
            return Taken(known.status, known.answer, is_repetition=True)
        try:
            segments = told(
                group, message.audiences, client_id=activation.client_id, sequence=message.sequence
            )
        except SegmentFault as fault:  # somebody took an identifier a moment ago
            raise Refused(422, fault.code, str(fault)) from None
        actions = [(str(one["audience"]), str(one["person"]), one["op"] == "add") for one in message.actions]
        users = resolve({person for _, person, _ in actions}, identifier=message.person_identifier)
        steps = [Step(segments[audience], users.get(person), is_add) for audience, person, is_add in actions]
        queued = len(steps) >= configuration.current().threshold
        if queued:
            taken = enqueued(activation, steps, sequence=message.sequence)
        else:
            several = [person in users and users[person] is None for _, person, _ in actions]
            taken = applied(activation, steps, sequence=message.sequence, several=several)
        WebhookRequest.objects.create(
            client_id=activation.client_id,
            request_id=message.request_id,
            sha256=digest,
            actions=len(steps),
            status=taken.status,
            answer=taken.answer,
        )
    return taken


def told(
    group: SegmentGroup, audiences: Sequence[Audience], *, client_id: str, sequence: int | None
) -> dict[str, int]:
    """Keep what the platform says of its audiences as segments of the group; audience id -> key.

    What is older than what is known of one changes nothing: by the numbers of requests, else by `updated_at`.
    """
    known = {one.audience: one for one in group.segments.exclude(audience="")}
    # Of the whole site, and only where there is a new one.
    taken: set[str] | None = None
    for one in audiences:
        if one.id not in known:
            if taken is None:
                taken = set(Segment.objects.values_list("identifier", flat=True))
            identifier = free(one.identifier, taken=taken)
            known[one.id] = changes.create_segment(
                group, identifier=identifier, by_platform=True, audience=one.id, **facts_of(one)
            )
    keys = {one.id: known[one.id].pk for one in audiences}
    late = order.overtaken_facts(client_id, keys.values(), sequence=sequence)
    for one in audiences:
        row = known[one.id]
        if row.pk not in late and not (sequence is None and is_older(one, row)):
            replace(row, facts_of(one))
    return keys


def facts_of(audience: Audience) -> dict[str, Any]:
    """By the columns of a segment."""
    return {
        "name": audience.name,
        "description": audience.description,
        "tags": audience.tags,
        "size": audience.profile_count,
        "counted_at": audience.updated_at,
    }


def is_older(audience: Audience, row: Segment) -> bool:
    return bool(audience.updated_at and row.counted_at and audience.updated_at < row.counted_at)


def replace(row: Segment, facts: dict[str, Any]) -> None:
    if any(getattr(row, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(row, name, value)
        row.save(update_fields=list(facts))


def free(identifier: str, *, taken: set[str]) -> str:
    """The identifier, or the first with a number behind that no segment of the site has; it is taken then."""
    number, candidate = 1, identifier
    while candidate in taken:
        number += 1
        end = f"_{number}"
        candidate = identifier[: LONGEST_IDENTIFIER - len(end)] + end
    taken.add(candidate)
    return candidate


def applied(activation: Activation, steps: list[Step], *, sequence: int | None, several: list[bool]) -> Taken:
    """``several``: of each step whether several users have its address."""
    with changing(activation.client_id):
        outcome = queue.apply_now(activation.client_id, steps, sequence=sequence)
    errors = [
        {"index": place, "code": "ambiguous_person" if several[place] else "unknown_person"}
        for place, became in enumerate(outcome)
        if became is Outcome.SKIPPED
    ]
    counts = {name: outcome.count(Outcome(name)) for name in ("applied", "unchanged", "skipped")}
    counts["unchanged"] += outcome.count(Outcome.SUPERSEDED)
    return Taken(200, {"status": "processed", **counts, "errors": errors})


def enqueued(activation: Activation, steps: list[Step], *, sequence: int | None) -> Taken:
    """Every action is a row before the answer is sent."""
    batch = queue.add(activation.client_id, steps, sequence=sequence)
    return Taken(202, {"status": "queued", "batch": str(batch.pk), "queued": len(steps)})

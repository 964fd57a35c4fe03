"""The only writer of activations (reference `cdp.md` 4.1, 4.3). Views and commands call it.

What is wrong raises :class:`ActivationFault` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from pydantic import ValidationError

from cdp.activations import deliver, parcels, secrets
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation, ActivationAudience, Parcel
from cdp.activations.targets import base, find
from cdp.activations.targets.base import Target, Verdict
from cdp.audiences.models import Audience
from cdp.profiles import kinds
from cdp.profiles.models import Account, PersonIdentifier

State = Activation.State
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_PURPOSE = 100, 500, 32
LEAVE, REMOVE = "leave", "remove"


def create(
    account: Account,
    *,
    name: str,
    kind: str,
    person_identifier: str,
    audiences: Sequence[Audience],
    config: dict[str, Any] | None = None,
    secret: str = "",
    description: str = "",
    purpose: str = "",
) -> tuple[Activation, str]:
    """A new activation, and its secret in clear where one was made here: it is never shown again.

    Its audiences are sent after their next calculation; :func:`ask` sends them now.
    """
    target = target_of(kind)
    made = "" if secret else target.new_secret()
    activation = Activation(
        account=account,
        name=checked_name(account, name),
        kind=kind,
        person_identifier=checked_identifier(account, target, person_identifier),
        config=checked_config(target, config or {}),
        secret=checked_secret(target, secret or made),
        description=checked_text("description", description, longest=LONGEST_DESCRIPTION),
        purpose=checked_text("purpose", purpose, longest=LONGEST_PURPOSE),
    )
    if not audiences:
        raise ActivationFault("no_audience", "audiences", "An activation needs at least one audience.")
    with transaction.atomic():
        saved(activation)
        for audience in audiences:
            attach(activation, audience)
    return activation, made


def edit(activation: Activation, *, secret: str = "", **fields: Any) -> Activation:
    """Change ``name``, ``description``, ``person_identifier``, ``config``, ``purpose``; "" keeps the secret.

    An activation with an error is active again. Where another receiver is named, everybody is sent to it and
    the one before keeps whom it has.
    """
    before = Activation.objects.get(pk=activation.pk)
    target = target_of(before.kind)
    changed = checked(before, target, fields)
    if secret:
        changed["secret"] = checked_secret(target, secret)
    elif before.secret and "config" in changed and is_shown_elsewhere(target, before, changed["config"]):
        raise ActivationFault(
            "secret_needed",
            "secret",
            "Enter the secret too: the one that is kept was given for another address and is not sent there.",
        )
    is_elsewhere = "config" in changed and target.place(changed["config"]) != target.place(before.config)
    if before.state == State.ERROR:
        changed |= {"state": State.ACTIVE, "reason": ""}
    with transaction.atomic():
        update(before, changed | {"attempts": 0, "retry_at": None})
        parcels.renew(before)
        if changed.get("purpose", before.purpose) != before.purpose:
            ask(before)
        if is_elsewhere:
            begin_anew(before)
    deliver.enqueue(before.pk)
    activation.refresh_from_db()
    return activation


def is_shown_elsewhere(target: Target, before: Activation, config: dict[str, Any]) -> bool:
    """Whether the secret would be sent to another server than the one that it was given for."""
    return target.shows_secret(config) != target.shows_secret(before.config)


def checked(before: Activation, target: Target, fields: dict[str, Any]) -> dict[str, Any]:
    """The new values of the columns that were given."""
    found: dict[str, Any] = {}
    if "name" in fields:
        found["name"] = checked_name(before.account, fields["name"], but=before)
    if "person_identifier" in fields and fields["person_identifier"] != before.person_identifier:
        if before.sequence:
            raise ActivationFault(
                "person_identifier_in_use",
                "person_identifier",
                "The person identifier cannot be changed after the first delivery; make another activation.",
            )
        wanted = fields["person_identifier"]
        found["person_identifier"] = checked_identifier(before.account, target, wanted)
    if "config" in fields:
        found["config"] = checked_config(target, fields["config"])
    for name, longest in (("description", LONGEST_DESCRIPTION), ("purpose", LONGEST_PURPOSE)):
        if name in fields:
            found[name] = checked_text(name, fields[name], longest=longest)
    return found


def begin_anew(activation: Activation) -> None:
    """Forget what was delivered, within the caller's transaction, so that everybody is sent again."""
    Parcel.objects.filter(activation=activation).delete()
    activation.ledger.all().delete()  # one statement: nothing hangs on an entry
    activation.attachments.filter(removed_at__isnull=False).delete()
    activation.attachments.update(told="", asked=F("asked") + 1)


def rotate(activation: Activation, *, secret: str = "") -> str:
    """Change the secret; the one before stays valid for 24 hours. Returns it where it was made here."""
    target = target_of(activation.kind)
    made = "" if secret else target.new_secret()
    new = checked_secret(target, secret or made)
    until = timezone.now() + secrets.BOTH_VALID
    update(activation, {"previous_secret": activation.secret, "previous_until": until, "secret": new})
    if activation.state == State.ERROR:
        resume(activation)
    return made


def attach(activation: Activation, audience: Audience) -> None:
    """Send an audience too, from its next calculation on. One that was being taken out is sent at once."""
    if audience.account_id != activation.account_id or audience.archived_at is not None:
        raise ActivationFault(
            "unknown_audience", "audiences", f"The account has no audience {audience.identifier!r} in use."
        )
    if activation.ending_at is not None:
        raise ActivationFault("is_ending", "audiences", "The activation is being deleted.")
    known = ActivationAudience.objects.filter(activation=activation, audience=audience)
    if known.filter(removed_at__isnull=False).update(removed_at=None, told="", asked=F("asked") + 1):
        deliver.enqueue(activation.pk)
        return
    check_not_sent_already(activation, audience)
    ActivationAudience.objects.get_or_create(
        activation=activation, audience=audience, defaults={"sequence": audience.sequence}
    )


def check_not_sent_already(activation: Activation, audience: Audience) -> None:
    """Raises where another activation tells the same receiver who is in an audience: what one of them takes
    out there the other one would believe to be there still."""
    if not target_of(activation.kind).delivers:
        return
    others = ActivationAudience.objects.filter(
        audience=audience, removed_at=None, activation__kind=activation.kind, activation__ending_at=None
    )
    for one in others.exclude(activation=activation).select_related("activation"):
        if one.activation.config == activation.config:
            raise ActivationFault(
                "sent_already",
                "audiences",
                f"{one.activation.name} sends {audience.name} to the same receiver already.",
            )


def detach(activation: Activation, audience: Audience) -> None:
    """Take everybody of an audience out at the receiver, and then the audience out of the activation."""
    with transaction.atomic():
        Activation.objects.select_for_update().get(pk=activation.pk)
        staying = activation.attachments.filter(removed_at=None)
        if not staying.exclude(audience=audience).exists():
            raise ActivationFault(
                "no_audience",
                "audiences",
                f"{audience.name} is the last audience of the activation; pause or delete the activation.",
            )
        take_out(staying.filter(audience=audience).select_related("activation"))


def take_out(attachments: Iterable[ActivationAudience]) -> None:
    """Mark audiences whose members go; a target that sends nothing has nobody to take out."""
    for one in attachments:
        if target_of(one.activation.kind).delivers:
            ActivationAudience.objects.filter(pk=one.pk, removed_at=None).update(removed_at=timezone.now())
            deliver.enqueue(one.activation_id)
        else:
            one.delete()


def ask(activation: Activation) -> None:
    """Have a worker send the difference of all audiences now, whether they were calculated or not."""
    mark(activation)
    deliver.enqueue(activation.pk)


def mark(activation: Activation) -> None:
    """The difference of all audiences is pending, and so is what waited for its next try."""
    activation.attachments.update(asked=F("asked") + 1)
    Activation.objects.filter(pk=activation.pk).update(retry_at=None)


def pause(activation: Activation) -> None:
    """Send nothing more; the ledger stays."""
    update(activation, {"state": State.PAUSED, "reason": ""})


def resume(activation: Activation) -> None:
    """Send again, from where it stopped, whatever the pause or the error was."""
    update(activation, {"state": State.ACTIVE, "reason": "", "attempts": 0, "retry_at": None})
    deliver.enqueue(activation.pk)


def redeliver(activation: Activation, request: str) -> None:
    """Send the request that failed once more, now, with the same id and the same bytes.

    ``request``: its id. Only one can be under way; what was answered is never sent again.
    """
    under_way = Parcel.objects.filter(activation=activation).values_list("request_id", flat=True)
    if request not in map(str, under_way):
        raise ActivationFault(
            "not_under_way",
            "request",
            "Nothing is left to send of this request: it was answered, or another one took its place.",
        )
    if activation.state == State.PAUSED:
        raise ActivationFault("is_paused", "request", "The activation is paused; resume it to send again.")
    resume(activation)


def delete(activation: Activation, *, memberships: str = LEAVE) -> None:
    """Delete an activation. ``memberships``: ``leave`` them at the receiver, or ``remove`` everybody first,
    after which the activation deletes itself."""
    if memberships not in (LEAVE, REMOVE):
        raise ActivationFault(
            "bad_choice", "memberships", f"memberships must be leave or remove; got {memberships[:40]!r}."
        )
    target = find(activation.kind)
    if memberships == LEAVE or target is None or not target.delivers:
        pause(activation)  # so that nothing is sent while the ledger goes
        deliver.remove(activation)
        return
    with transaction.atomic():
        update(activation, {"ending_at": timezone.now()})
        activation.attachments.filter(removed_at=None).update(removed_at=timezone.now())
    resume(activation)


def try_connection(activation: Activation) -> Verdict:
    """Try the connection of an activation, saved or not, with an empty request."""
    target = target_of(activation.kind)
    checked_config(target, activation.config)
    return target.probe(activation)


def update(activation: Activation, values: dict[str, Any]) -> None:
    """Write columns of an activation, into the row and the object."""
    try:
        with transaction.atomic():
            Activation.objects.filter(pk=activation.pk).update(updated_at=timezone.now(), **values)
    except IntegrityError as error:
        raise taken(activation, error) from None
    for name, value in values.items():
        setattr(activation, name, value)


def saved(activation: Activation) -> None:
    try:
        with transaction.atomic():
            activation.save()
    except IntegrityError as error:
        raise taken(activation, error) from None


def check_one_api(account: Account, kind: str) -> None:
    """Raises where a second activation of the kind CDP API would be active."""
    if (
        kind == "cdp_api"
        and Activation.objects.filter(account=account, kind=kind, state=State.ACTIVE).exists()
    ):
        raise second_api()


def second_api() -> ActivationFault:
    return ActivationFault(
        "cdp_api_active",
        "kind",
        "Only one activation of the kind CDP API is active in an account; pause the other one first.",
    )


def taken(activation: Activation, error: IntegrityError) -> ActivationFault:
    """What the database refused, in words."""
    same = Activation.objects.filter(account=activation.account_id).exclude(pk=activation.pk)
    if activation.kind == "cdp_api" and same.filter(kind="cdp_api", state=State.ACTIVE).exists():
        return second_api()
    return ActivationFault("refused", "", f"The database refused the activation: {error}.")


def target_of(kind: str) -> Target:
    target = find(kind)
    if target is None:
        known = ", ".join(one.kind for one in base.all_targets())
        raise ActivationFault("unknown_kind", "kind", f"kind must be one of {known}; got {kind[:40]!r}.")
    return target


def checked_name(account: Account, name: str, *, but: Activation | None = None) -> str:
    text = checked_text("name", name, longest=LONGEST_NAME)
    if not text:
        raise ActivationFault("no_name", "name", "An activation needs a name.")
    same = Activation.objects.filter(account=account, name__iexact=text)
    if same.filter(~Q(pk=but.pk) if but else Q()).exists():
        raise ActivationFault("name_in_use", "name", f"Another activation is called {text!r}.")
    return text


def checked_text(field: str, value: str, *, longest: int) -> str:
    text = value.strip()
    if len(text) > longest or "\0" in text:
        raise ActivationFault(
            f"bad_{field}", field, f"{field} must have at most {longest} characters; got {len(text)}."
        )
    return text


def checked_identifier(account: Account, target: Target, name: str) -> str:
    if not name:
        raise ActivationFault(
            "no_person_identifier",
            "person_identifier",
            "Choose the person identifier by which people are sent; nothing can be delivered without it.",
        )
    known = target.person_identifiers
    if known is not None and name not in known:
        raise ActivationFault(
            "bad_person_identifier",
            "person_identifier",
            f"{target.label} takes people by {' or '.join(known)}; got {name[:64]!r}.",
        )
    if not PersonIdentifier.objects.filter(account=account, name=name, active=True).exists():
        raise ActivationFault(
            "unknown_person_identifier",
            "person_identifier",
            f"The account has no active person identifier {name[:64]!r}.",
        )
    return name


@kinds.register
def sent_by(kind: PersonIdentifier) -> list[str]:
    """Activations that send people by it."""
    rows = Activation.objects.filter(account=kind.account_id, person_identifier=kind.name)
    words = gettext("the activation %(name)s")
    return [words % {"name": name} for name in rows.order_by("name").values_list("name", flat=True)]


def checked_config(target: Target, config: dict[str, Any]) -> dict[str, Any]:
    try:
        return target.Config.model_validate(config).model_dump(mode="json")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in fault["loc"])
        code = fault["type"] if fault["type"].startswith("bad_") else "bad_config"
        given = config.get(field)
        value = f"; got {given[:80]!r}" if isinstance(given, str) else ""
        raise ActivationFault(code, field, f"{field or 'config'}: {fault['msg']}{value}.") from None


def checked_secret(target: Target, secret: str) -> str:
    """Sealed. The sentence never shows it."""
    if not target.has_secret:
        if secret:
            raise ActivationFault("bad_secret", "secret", f"{target.label} has no secret.")
        return ""
    try:
        target.check_secret(secret)
    except ValueError as rule:
        raise ActivationFault("bad_secret", "secret", f"The secret {rule}.") from None
    return secrets.seal(secret)

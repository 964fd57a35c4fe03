"""``manage.py cdp_deliver``: send audiences to their activations, in this terminal."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.activations import changes, deliver
from cdp.activations.models import ID_PREFIX, Activation, DeliveryRun

FAILED, WRONG_USE, RUNNING = 1, 2, 4
LARGEST_KEY = 2**63


class Command(BaseCommand):
    help = "Send what is pending of activations: members who joined since, and who left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--activation", metavar="ID", help="all audiences of this one, such as act_7")
        which.add_argument(
            "--due", action="store_true", help="what was calculated since or waits for a try (default)"
        )
        which.add_argument("--all", action="store_true", help="all audiences of every active activation")

    def handle(self, *_args: Any, **options: Any) -> None:
        codes = [self.delivered(one) for one in chosen(options)]
        self.stdout.write(f"{len(codes)} activations.")
        if any(codes):
            raise SystemExit(max(codes))

    def delivered(self, activation: Activation) -> int:
        """Deliver and say what came of it; the exit code."""
        run = deliver.deliver(activation.pk)
        about = f"{activation.public_id} {activation.name}"
        if run is None:
            return self.without_run(activation, about)
        self.stdout.write(
            f"{about}: {run.get_state_display()}, {run.added} added, {run.removed} removed,"
            f" {run.skipped} unknown to the receiver, {run.unidentified} without"
            f" {activation.person_identifier}, {run.requests} requests. {run.error}".rstrip()
        )
        return 0 if run.state == DeliveryRun.State.DONE else FAILED

    def without_run(self, activation: Activation, about: str) -> int:
        row = Activation.objects.filter(pk=activation.pk).first()
        if row is None:
            self.stdout.write(f"{about}: nobody is left, so it is deleted.")
        elif row.lease_owner:
            self.stdout.write(f"{about}: a worker delivers it already.")
            return RUNNING
        else:
            self.stdout.write(f"{about}: nothing to send.")
        return 0


def chosen(options: dict[str, Any]) -> list[Activation]:
    """The activations to deliver, in the order of their making."""
    if options["activation"]:
        rows = [named(options["activation"])]
    elif options["all"]:
        active = Activation.objects.filter(state=Activation.State.ACTIVE)
        rows = list(deliver.sending(active).order_by("pk"))
    else:
        return list(deliver.due().order_by("pk"))
    for one in rows:
        changes.mark(one)
    return rows


def named(text: str) -> Activation:
    digits = text.removeprefix(ID_PREFIX)
    known = digits.isascii() and digits.isdigit() and int(digits[:20]) < LARGEST_KEY
    found = Activation.objects.filter(pk=int(digits)).first() if known else None
    if found is None:
        raise CommandError(f"There is no activation {text[:40]!r}.", returncode=WRONG_USE)
    if found.state != Activation.State.ACTIVE:
        reason = f": {found.reason}" if found.reason else "; resume it first"
        raise CommandError(f"{found.name} is in the state {found.state}{reason}", returncode=WRONG_USE)
    if not deliver.sending(Activation.objects.filter(pk=found.pk)).exists():
        raise CommandError(
            f"Nothing is sent to activations of the kind {found.kind}; callers ask for the members.",
            returncode=WRONG_USE,
        )
    return found

"""The doctor's questions about exports and their schedule."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.management import CommandError, load_command_class

from cdp import configuration
from cdp.configuration import Scheduled
from cdp.export.asked import order_of
from cdp.export.models import StreamRun
from cdp.export.order import Order, Unconfigured, WrongUse
from cdp.export.schedule import options_of
from config.checks import Finding, part


@part("data export")
def exports() -> Iterator[Finding]:
    streams: dict[str, Order] = {}
    for entry in configuration.current().schedule:
        try:
            order = asked_by(entry)
        except (CommandError, WrongUse, Unconfigured) as error:
            yield Finding("data export", f"{entry.place}: {error}", "Correct it in the sites file.")
            continue
        first = streams.setdefault(order.stream_id, order)
        if (first.kind, first.item_type) != (order.kind, order.item_type):
            yield Finding(
                "data export",
                f"{entry.place} sends {order.item_type} to the stream that {first.item_type} goes to",
                "Give each type a dataflow, and with it a stream id, of its own.",
            )
    for kind in ("user", "product", "content"):
        newest = StreamRun.objects.filter(kind=kind, is_draft=False).order_by("-started_at").first()
        if newest and newest.state == StreamRun.State.FAILED:
            yield Finding(
                "data export",
                f"the last run of {kind} data failed at {newest.finished_at:%Y-%m-%d %H:%M} UTC:"
                f" {newest.error}",
                f"Run `manage.py stream_{kind}_data --no-draft` with `--run-id {newest.pk}` to go on.",
            )


def asked_by(entry: Scheduled) -> Order:
    """Raises CommandError, :class:`WrongUse` and :class:`Unconfigured`."""
    name = f"stream_{entry.section}_data"
    options = vars(
        load_command_class("cdp", name).create_parser("manage.py", name).parse_args(options_of(entry))
    )
    if options["run_id"]:
        raise WrongUse("--run-id has no place in a schedule: each run has its own.")
    return order_of(entry.section, options)

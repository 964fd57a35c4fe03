"""The sample of a dataflow: what was sent last as a draft, read with some parsing options."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from cdp.dataflows import payloads
from cdp.dataflows.columns import Found, survey
from cdp.dataflows.configuration import Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.detect import detect
from cdp.dataflows.interpret.read import BadRow, Row, read
from cdp.dataflows.models import Dataflow, Run
from cdp.dataflows.values import Reading

MOST_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Sample:
    run: Run
    rows: list[Row | BadRow]
    columns: list[Found]


def newest(dataflow: Dataflow) -> Run | None:
    """The sample that was sent last."""
    return dataflow.runs.filter(kind=Run.Kind.SAMPLE).order_by("-pk").first()


def checked(dataflow: Dataflow) -> Run:
    """The newest sample, if it is one. Raises :class:`DataflowFault`."""
    run = newest(dataflow)
    if run is None:
        raise DataflowFault(
            "no_sample", gettext("Nothing has arrived as a draft yet; run the command above first.")
        )
    if not run.payloads.filter(rows__gt=0).exists():
        raise DataflowFault("empty_sample", gettext("The draft has no rows; send one that has."))
    size = sum(run.payloads.values_list("size", flat=True))
    if size > MOST_BYTES:
        raise DataflowFault(
            "too_large",
            gettext("The draft has %(size)s bytes, of at most %(most)s; send fewer rows.")
            % {"size": f"{size:,}", "most": f"{MOST_BYTES:,}"},
        )
    return run


def parsing_of(run: Run) -> Parsing | None:
    """How the sample seems to be parsed; None where that is not recognised.

    Raises :class:`DataflowFault` for what is no text.
    """
    payload = run.payloads.exclude(sealed="").first()
    if payload is None:
        raise DataflowFault("no_sample", gettext("The sample is gone; send another draft."))
    return detect(payloads.unseal(payload.sealed), content_type=payload.content_type)


def load(run: Run, parsing: Parsing, reading: Reading) -> Sample:
    """The whole sample. Raises :class:`DataflowFault`."""
    rows: list[Row | BadRow] = []
    for payload in run.payloads.exclude(sealed=""):
        rows += read(payloads.unseal(payload.sealed), parsing, content_type=payload.content_type)
    whole = [row for row in rows if isinstance(row, dict)]
    if rows and not whole:
        bad = next(row for row in rows if isinstance(row, BadRow))
        raise DataflowFault(
            bad.code, gettext("No row of the sample can be read; look at the parsing options.")
        )
    return Sample(run=run, rows=rows, columns=survey(whole, reading))


def reading_of(dataflow: Dataflow, parsing: Parsing | None) -> Reading:
    return Reading(
        zone=ZoneInfo(dataflow.account.time_zone),
        decimal=parsing.decimal if parsing else ".",
        date_formats=parsing.date_formats if parsing else (),
    )

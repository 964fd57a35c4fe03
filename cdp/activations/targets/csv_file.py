"""Files in the state folder: one of each delivery, and one of everybody (issue: CSV).

A request becomes a part; when all of a delivery are there they become one file. So a file is whole whatever
is killed, and a request that is repeated replaces its own part. Files hold people in clear, hence they go
after ``keep_days``, also of an activation that sends nothing more, and nobody who was erased stays added.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from cdp.activations import ledger
from cdp.activations.models import Activation
from cdp.activations.targets import base
from cdp.activations.targets.base import Later, Receipt, Shipment, Target, Verdict, register
from cdp.profiles import identifiers
from config.faults import disk_reason
from config.http.client import write_whole
from config.spreadsheets import neutral

DAY = 86_400
STATE_FILE = "members.csv"


class CsvConfig(base.Config):
    keep_days: Annotated[int, Field(ge=1, le=365)] = 7


@register
class Csv(Target):
    kind, label, Config = "csv", _("CSV files"), CsvConfig
    has_secret = tells = False
    has_files = True

    def deliver(self, shipment: Shipment) -> Receipt:
        folder = folder_of(shipment.activation)
        names = {one["id"]: one["identifier"] for one in shipment.audiences}
        rows = ((one.op, names[one.audience], one.person) for one in shipment.actions)
        stored(folder / "parts" / f"{shipment.sequence:015}.csv", lines(rows))
        return Receipt()

    def finish(self, activation: Activation) -> None:
        folder = folder_of(activation)
        publish(folder)
        head = [("audience", "person")]
        stored(folder / STATE_FILE, lines(row for rows in (head, members(activation)) for row in rows))
        drop_old(folder, days=days_of(activation))

    def tidy(self, activation: Activation) -> None:
        folder, days = folder_of(activation), days_of(activation)
        if any(is_old(path, days=days) for path in (folder / "parts").glob("*.csv")):
            publish(folder)  # of a delivery that was paused on the way
        drop_old(folder, days=days)

    def erase(self, activation: Activation, digests: Collection[str]) -> None:
        """That somebody was taken out stays said for ``keep_days``, or whoever reads the files keeps them."""
        wanted = frozenset(digests)
        number, kind = activation.account.number, activation.person_identifier

        def has_gone(cell: str) -> bool:
            texts = {cell, cell.removeprefix("'")}  # as it was before it was no formula
            return any(identifiers.digest(number, kind, text) in wanted for text in texts)

        folder = folder_of(activation)
        strip(folder / STATE_FILE, lambda row: has_gone(row[-1]))
        for path in (*folder.glob("delivery-*.csv"), *(folder / "parts").glob("*.csv")):
            strip(path, lambda row: row[0] == "add" and has_gone(row[-1]))

    def forget(self, activation: Activation) -> None:
        shutil.rmtree(folder_of(activation), ignore_errors=True)

    def probe(self, activation: Activation) -> Verdict:
        folder = folder_of(activation)
        try:
            stored(folder / ".probe", [b""])
        except Later as fault:
            return Verdict(ok=False, words=str(fault))
        (folder / ".probe").unlink()
        return Verdict(ok=True, words=f"Files can be written in {folder}.")


def days_of(activation: Activation) -> int:
    return CsvConfig.model_validate(activation.config).keep_days


def folder_of(activation: Activation) -> Path:
    return settings.ACTIVATION_ROOT / (activation.public_id if activation.pk else "new")


def publish(folder: Path) -> None:
    """Make one file of the parts of a delivery. A part that an earlier file holds already is left over."""
    published = max((number_of(path) for path in folder.glob("delivery-*.csv")), default=0)
    parts = sorted((folder / "parts").glob("*.csv"))
    fresh = [path for path in parts if number_of(path) > published]
    if fresh:
        contents = (path.read_bytes() for path in fresh)
        head = lines([("op", "audience", "person")])
        stored(folder / f"delivery-{fresh[-1].stem}.csv", (piece for of in (head, contents) for piece in of))
    for path in parts:
        path.unlink(missing_ok=True)


def number_of(path: Path) -> int:
    digits = path.stem.removeprefix("delivery-")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def members(activation: Activation) -> Iterator[tuple[str, str]]:
    """Everybody who was delivered, one audience after the other."""
    for attachment in activation.attachments.select_related("audience").order_by("audience__identifier"):
        for entry in ledger.everybody(activation, attachment.audience_id):
            yield attachment.audience.identifier, entry.person


def lines(rows: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """RFC 4180; what a spreadsheet would run as a formula begins with an apostrophe."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([neutral(cell) for cell in row])
        yield line.getvalue().encode()


def stored(path: Path, pieces: Iterable[bytes]) -> None:
    """A whole file or none. Raises :class:`Later`."""
    try:
        write_whole(path, iter(pieces))
    except OSError as error:
        raise Later(f"{path.name} was not written: {disk_reason(error, folder=path.parent)}") from None


def strip(path: Path, is_gone: Callable[[list[str]], bool]) -> None:
    """Leave rows out of a file, which stays as old as it is. Raises :class:`Later`."""
    with suppress(FileNotFoundError):  # a delivery takes its parts away meanwhile
        times = path.stat()
        if any(map(is_gone, rows_of(path))):
            stored(path, lines(tuple(row) for row in rows_of(path) if not is_gone(row)))
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def rows_of(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


def is_old(path: Path, *, days: int) -> bool:
    return path.stat().st_mtime < time.time() - days * DAY


def drop_old(folder: Path, *, days: int) -> None:
    for path in folder.glob("delivery-*.csv"):
        if is_old(path, days=days):
            path.unlink(missing_ok=True)

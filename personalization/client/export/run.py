"""One full export of one customer, from the request to the engine's answer.

The row (:class:`ExportRun`) is the truth: it says in which phase the export is, and while it is active no
second one of the same customer starts. The work is a job, so that a worker finishes what a killed process
left, beginning at the first missing file.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.jobs import queue
from config.jobs.models import OPEN_STATES, Job, State
from config.site_access import SiteAccess
from personalization.client import credentials
from personalization.client.bodies import AS_STORED, Shape
from personalization.client.credentials import Target, target_of
from personalization.client.errors import AlreadyRunning, EngineError, ExportFailed, WrongUse
from personalization.client.export import announce, files, write
from personalization.client.export.selection import Selection, select
from personalization.client.models import ExportRun

ACTIVE = (ExportRun.Phase.WRITING, ExportRun.Phase.NOTIFYING)
# A worker leaves the job to the command that made it for this long.
HEAD_START = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked to export."""

    target: Target
    types: Sequence[str] = ()
    languages: Sequence[str] = ()
    page_size: int
    subtree: str = ""  # location path such as /1/3/
    shape: Shape = AS_STORED
    host: str = ""  # base of the file addresses; "" is the site's own
    web_hook: str = ""  # where the notification goes; "" is the site's notifier

    def selection(self) -> Selection:
        return select(self.target.sites, types=self.types, languages=self.languages, subtree=self.subtree)


def start(order: Order, *, for_worker: bool = False) -> ExportRun:
    """Store a run and its job. Raises :class:`AlreadyRunning` or :class:`WrongUse`; writes no file.

    ``for_worker``: the caller does not run the job itself. A failed run of the same customer gives way: its
    job is cancelled and its files are removed.
    """
    refuse_incomplete_login(order.target)
    customer_id = str(order.target.customer_id)
    release_dead_runs(customer_id)
    try:
        with transaction.atomic():
            run = ExportRun.objects.create(
                customer_id=customer_id,
                site_name=",".join(site.name for site in order.target.sites)[:128],
                folder=new_folder(customer_id),
                options=options_of(order) | {"for_worker": for_worker},
            )
    except IntegrityError:
        raise AlreadyRunning(running_sentence(customer_id)) from None
    supersede(run)
    with transaction.atomic():  # a worker that is told at once finds the number of its job
        job = queue.enqueue(
            "export",
            {"run": run.pk},
            key=f"run-{run.pk}",
            customer_id=customer_id,
            delay=timedelta(0) if for_worker else HEAD_START,
        )
        run.job_id = job.pk
        run.save(update_fields=["job_id"])
    return run


def cancel(run: ExportRun, *, reason: str) -> bool:
    """Stop an active run; False when it has ended. Files that are complete stay, and nothing names them."""
    if run.phase not in ACTIVE:
        return False
    # Only the process that runs a job may end a run it works on: it stops at its next report.
    running = Job.objects.filter(pk=run.job_id or 0, state=State.RUNNING).exists()
    stopped = queue.cancel(run.job_id or 0)
    if stopped and not running:
        run.end(ExportRun.Phase.FAILED, error=reason)
    return stopped


def options_of(order: Order) -> dict[str, Any]:
    """What a worker needs to carry the run on. The license key only if the sites file has another."""
    target = order.target
    options: dict[str, Any] = {
        "sites": [site.name for site in target.sites],
        "types": list(order.types),
        "languages": list(order.languages),
        "page_size": order.page_size,
        "subtree": order.subtree,
        "fields": sorted(order.shape.fields or ()),
        "variation": order.shape.variation,
        "host": (order.host or target.main.host_uri).rstrip("/"),
        "web_hook": order.web_hook,
    }
    if (target.customer_id, target.license_key) != (target.main.customer_id, target.main.license_key):
        options["sealed_license_key"] = credentials.seal(target.license_key)
    return options


def new_folder(customer_id: str) -> str:
    """``yyyy/mm/dd/hh/mm/<customer>-<128 random bits>``, in UTC; the random part keeps runs apart."""
    now = timezone.now()
    return f"{now:%Y/%m/%d/%H/%M}/{customer_id}-{secrets.token_hex(16)}"


def refuse_incomplete_login(target: Target) -> None:
    site = target.main
    if site.export_method == "user" and not (site.export_login and site.export_password):
        raise WrongUse(
            f"The site {site.name} has export.authentication.method: user, but no login and password. "
            f"Set both or use the method basic."
        )


def running_sentence(customer_id: str) -> str:
    run = ExportRun.objects.filter(customer_id=customer_id, phase__in=ACTIVE).first()
    since = f", job #{run.job_id}, since {run.created_at:%Y-%m-%d %H:%M:%S} UTC" if run else ""
    return f"An export of customer {customer_id} is already running{since}. Wait for its end and try again."


def release_dead_runs(customer_id: str) -> None:
    """Mark active runs as failed whose process is gone, so that they do not block a new one."""
    for run in ExportRun.objects.filter(customer_id=customer_id, phase__in=ACTIVE):
        job = Job.objects.filter(pk=run.job_id or 0).first()
        if job is not None and is_alive(job, for_worker=run.options.get("for_worker", False)):
            continue
        if run.job_id is None and timezone.now() - run.created_at < HEAD_START:
            continue  # another process is between the two statements of start()
        run.end(ExportRun.Phase.FAILED, error="The process that ran this export ended without finishing it.")


def is_alive(job: Job, *, for_worker: bool) -> bool:
    """Whether somebody works on the job, or will."""
    if job.state == State.QUEUED:
        # Its command was killed before it began, unless it waits for a worker anyway.
        return for_worker or job.attempts > 0 or timezone.now() < job.run_after
    if job.state != State.RUNNING or job.lease_until is None:
        return False
    return job.lease_until > timezone.now() and not process_is_gone(job.lease_owner)


def process_is_gone(lease_owner: str) -> bool:
    """Whether the holder of a lease was a process of this machine that no longer exists."""
    host, _, rest = lease_owner.rpartition("-")[0].rpartition("-")[0].rpartition("-")
    if host != socket.gethostname()[:24] or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def supersede(run: ExportRun) -> None:
    """Give up earlier runs of the customer that failed before they were announced."""
    earlier = ExportRun.objects.filter(
        customer_id=run.customer_id, phase=ExportRun.Phase.FAILED, pk__lt=run.pk
    )
    for old in earlier:
        job = Job.objects.filter(pk=old.job_id or 0, state__in=OPEN_STATES).first()
        if job is not None:
            queue.cancel(job.pk)
        files.remove_folder(old.folder)


@queue.job("export")
def run_export(job_run: queue.Run) -> dict[str, Any]:
    """Write what is missing and tell the engine. Safe to run twice."""
    run = ExportRun.objects.get(pk=job_run.payload["run"])
    if run.phase == ExportRun.Phase.DONE:
        return {"items": run.items}
    reactivate(run)
    try:
        carry_out(run, job_run)
    except (ExportFailed, EngineError, WrongUse) as error:
        run.end(ExportRun.Phase.FAILED, error=str(error))
        if isinstance(error, ExportFailed):
            raise
        raise queue.GiveUp(str(error)) from error
    except (KeyboardInterrupt, queue.Cancelled):
        run.end(ExportRun.Phase.FAILED, error="The export was interrupted.")
        queue.cancel(job_run.job.pk)
        raise
    except BaseException as error:
        run.end(ExportRun.Phase.FAILED, error=f"The export failed unexpectedly: {error!r}.")
        raise
    return {"items": run.items, "bytes": run.bytes, "folder": run.folder}


def carry_out(run: ExportRun, job_run: queue.Run) -> None:
    target = target_of(run)
    options = run.options
    selection = select(
        target.sites,
        types=options["types"],
        languages=options["languages"],
        subtree=options.get("subtree", ""),  # a run that an earlier version began has none
    )
    chunks = write_files(run, selection, job_run, site=target.main)
    run.items = sum(chunk.items for chunk in chunks)
    run.bytes = sum(chunk.size for chunk in chunks)
    if not chunks:
        run.end(ExportRun.Phase.DONE)
        return
    write_manifest(run, chunks)
    run.phase = ExportRun.Phase.NOTIFYING
    run.save(update_fields=["phase", "items", "bytes"])
    announce.tell_engine(run, target=target)


def write_files(
    run: ExportRun, selection: Selection, job_run: queue.Run, *, site: SiteAccess
) -> list[write.Chunk]:
    """Write the chunk files of all groups; return them all, those of an interrupted run included."""
    folder = files.make_folder(run.folder)
    chunks = write.written_chunks(job_run.job)
    shape = Shape(
        fields=frozenset(run.options.get("fields", ())) or None, variation=run.options.get("variation", "")
    )
    total, done = selection.items, sum(chunk.items for chunk in chunks)
    job_run.progress(done, total=total)
    for group in selection.groups:
        earlier = [c for c in chunks if (c.type, c.language) == (group.item_type.identifier, group.language)]
        new = write.write_group(
            folder,
            group,
            done=earlier,
            page_size=run.options["page_size"],
            remote_ids=site.use_remote_id,
            shape=shape,
            legacy_strings=site.legacy_strings,
        )
        for complete in new:
            done += sum(chunk.items for chunk in complete)
            with transaction.atomic():
                write.store_chunks(job_run.job, complete, first=len(chunks) + 1)
                job_run.progress(done, total=max(total, done), message=complete[-1].name)
            chunks += complete
    return chunks


def write_manifest(run: ExportRun, chunks: list[write.Chunk]) -> None:
    """The file that makes an export complete: names, counts, sizes and hashes of all others."""
    document = {
        "version": 1,
        "customer": run.customer_id,
        "created": timezone.now().isoformat(),
        "items": run.items,
        "bytes": run.bytes,
        "files": [
            {
                "name": chunk.name,
                "type": chunk.type,
                "language": chunk.language,
                "page": chunk.page,
                "items": chunk.items,
                "size": chunk.size,
                "sha256": chunk.sha256,
            }
            for chunk in chunks
        ],
    }
    with files.publish(files.absolute(run.folder), files.MANIFEST) as out:
        out.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def reactivate(run: ExportRun) -> None:
    """Take a failed run up again, unless another one of the customer is active."""
    try:
        with transaction.atomic():
            changed = (
                ExportRun.objects.filter(pk=run.pk)
                .filter(Q(phase__in=ACTIVE) | Q(phase=ExportRun.Phase.FAILED))
                .update(phase=ExportRun.Phase.WRITING, error="", finished_at=None)
            )
    except IntegrityError:
        changed = 0
    if not changed:
        raise queue.GiveUp(f"Export {run.pk} gives way to a newer one of customer {run.customer_id}.")
    run.phase, run.error, run.finished_at = ExportRun.Phase.WRITING, "", None

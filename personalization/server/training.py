"""Model builds: from the lake to an artefact that serves, as jobs and on a schedule.

A build that fails leaves the artefact before it serving; its row says in a sentence why it failed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from config.customers import directory
from config.faults import Fault
from config.jobs import queue, schedule
from config.jobs.models import Job, State
from personalization.server import artefacts
from personalization.server.building import NoEvents, Outcome, learn, relearn, silent
from personalization.server.defaults import ensure_defaults
from personalization.server.in_force import parameters_of
from personalization.server.learning import registry
from personalization.server.learning.base import Learned
from personalization.server.models import ItemRevision, Model, ModelBuild
from tracking import queries

logger = logging.getLogger("personalization")

JOB = "engine.build"
REFRESH_JOB = "engine.refresh"
STEPS = 3  # of which a build tells: reading, learning, its parts
HOURLY = 3600.0
# What is popular changes faster than what goes together, and costs less to learn.
POPULARITY_EVERY = 600.0
CONTENT_EVERY = 60.0
REFRESH_EVERY = 300.0
LINEAR_EVERY = 4 * HOURLY
OFTEN = ("popularity", "predictive_popularity")
CONTENT = ("content_based", "full_text")
LINEAR = ("for_you",)
KEPT_BUILDS, KEPT_REFRESHES = timedelta(days=30), timedelta(days=1)


def build(model: Model, *, say: Callable[[str], None] = silent) -> ModelBuild:
    """Learn ``model`` from all archived events and make the result serve; ``say`` is told of each step.

    Never raises for a fault of the build itself: the returned row is Active or Failed with a sentence.
    """
    interrupted(model)
    row = ModelBuild.objects.create(model=model)
    return attempted(model, row, lambda: learn(model, say=say))


def refresh(model: Model) -> ModelBuild | None:
    """Learn again what something happened to since the version that serves, and let the result serve.

    None where nothing happened, where that version was learnt with other parameters, where a build is under
    way, or where learning everything is the better way, which the next build does.
    """
    serving = serving_build(model)
    artefact = artefacts.shelf.current(model.customer_id, model.identifier)
    if serving is None or artefact is None or not serving.until or artefact.version != serving.version:
        return None
    if is_being_built(model) or artefact.parameters != parameters_of(model) or model.divisions:
        return None
    interrupted(model)
    known = Learned(
        keys=artefact.keys,
        neighbours=artefact.neighbours,
        scores=artefact.scores,
        support=artefact.support,
    )
    row = ModelBuild.objects.create(model=model, partial=True)
    found = attempted(model, row, lambda: relearn(model, known=known, since=serving.until), after=serving)
    if found.status == ModelBuild.Status.RETIRED:
        found.delete()
        return None
    return found


def attempted(
    model: Model, row: ModelBuild, learner: Callable[[], Outcome | None], *, after: ModelBuild | None = None
) -> ModelBuild:
    """Run ``learner`` and let its outcome serve; the row says what became of it.

    ``after``: the build that serves; where another one came before, or nothing was learnt, the row is
    Replaced and nothing changes.
    """
    try:
        outcome = learner()
        if outcome is None or (after is not None and is_overtaken(row, after)):
            return finished(row, status=ModelBuild.Status.RETIRED)
        learned = outcome.learned
        version = artefacts.write(
            model.customer_id,
            model.identifier,
            learned,
            about=manifest(model, learned),
            divided=outcome.divided,
        )
    except NoEvents as reason:
        return finished(row, status=ModelBuild.Status.FAILED, error=str(reason))
    except Fault as fault:
        logger.error("The build of %s failed: %s", model, fault)
        return finished(row, status=ModelBuild.Status.FAILED, error=str(fault))
    except queue.Cancelled:
        finished(row, status=ModelBuild.Status.FAILED, error="The build was cancelled.")
        raise
    except Exception as fault:
        logger.exception("The build of %s failed.", model)
        return finished(
            row, status=ModelBuild.Status.FAILED, error=f"The build failed: {type(fault).__name__}: {fault}"
        )
    model.builds.filter(status=ModelBuild.Status.ACTIVE).update(status=ModelBuild.Status.RETIRED)
    return finished(
        row,
        status=ModelBuild.Status.ACTIVE,
        version=version,
        items=len(learned.keys),
        events=learned.events,
        until=outcome.until,
    )


def serving_build(model: Model) -> ModelBuild | None:
    """The build whose version serves."""
    return model.builds.filter(status=ModelBuild.Status.ACTIVE).order_by("-id").first()


def is_being_built(model: Model) -> bool:
    """Whether a job builds it, or a build began so short a time ago that its process is likely to live."""
    if Job.objects.filter(kind=JOB, key=model.job_key, state=State.RUNNING).exists():
        return True
    since = timezone.now() - timedelta(seconds=2 * REFRESH_EVERY)
    return model.builds.filter(status=ModelBuild.Status.BUILDING, started_at__gt=since).exists()


def is_overtaken(row: ModelBuild, after: ModelBuild) -> bool:
    """Whether a build of everything began or ended meanwhile."""
    whole = row.model.builds.filter(pk__gt=after.pk, partial=False)
    return whole.exclude(status=ModelBuild.Status.FAILED).exists()


def manifest(model: Model, learned: Learned) -> dict[str, Any]:
    return {
        "customer": model.customer_id,
        "model": model.identifier,
        "algorithm": model.kind,
        "signal": model.signal,
        "parameters": parameters_of(model),
        "items": len(learned.keys),
        "events": learned.events,
        "cut_off": datetime.now(UTC).isoformat(),
    }


def interrupted(model: Model) -> None:
    """Close builds whose process died. Only one job builds a model at a time."""
    model.builds.filter(status=ModelBuild.Status.BUILDING).update(
        status=ModelBuild.Status.FAILED, error="The build was interrupted.", finished_at=timezone.now()
    )


def finished(row: ModelBuild, **changes: Any) -> ModelBuild:
    for name, value in changes.items():
        setattr(row, name, value)
    row.finished_at = timezone.now()
    row.save()
    return row


def trained_models(customer_id: str, *, kinds: tuple[str, ...] = ()) -> list[Model]:
    """The customer's models that are built, in the order of their making."""
    ensure_defaults(customer_id)
    found = Model.objects.filter(customer_id=customer_id).order_by("pk")
    return [m for m in found if registry.kind(m.kind).trained and (not kinds or m.kind in kinds)]


def build_all(
    customer_id: str, *, on_done: Callable[[Model, ModelBuild], None] | None = None
) -> list[ModelBuild]:
    """Build every model of a customer, in this thread."""
    builds = []
    for model in trained_models(customer_id):
        builds.append(build(model))
        if on_done:
            on_done(model, builds[-1])
    return builds


@queue.job(JOB)
def run_build(job: queue.Run) -> dict[str, Any]:
    """Build one model; the job itself succeeds when the build's outcome is stored."""
    model = Model.objects.filter(pk=job.payload["model"]).first()
    if model is None:
        raise queue.GiveUp("The model of this job no longer exists.")
    steps = itertools.count(1)
    row = build(model, say=lambda step: job.progress(next(steps), total=STEPS, message=step))
    return {"build": row.pk, "status": str(row.status)}


def enqueue_builds(*, kinds: tuple[str, ...] = (), every: float = 0.0) -> int:
    """Queue a build of every model of every customer; one that waits already is not queued twice.

    ``every``: seconds between builds; a model that was built less than half of that ago is left alone, for a
    worker that starts finds everything due.
    """
    count = 0
    for account in directory.directory.all():
        for model in trained_models(account.customer_id, kinds=kinds):
            if not is_fresh(model, seconds=every / 2):
                enqueue(model)
                count += 1
    return count


def is_fresh(model: Model, *, seconds: float) -> bool:
    """Whether a build of the model that began so short a time ago has succeeded."""
    since = timezone.now() - timedelta(seconds=seconds)
    whole = model.builds.filter(partial=False, started_at__gt=since)
    return whole.filter(status__in=[ModelBuild.Status.ACTIVE, ModelBuild.Status.RETIRED]).exists()


def enqueue(model: Model) -> None:
    """Queue a build; one that waits already is not queued twice."""
    queue.enqueue(JOB, {"model": model.pk}, key=model.job_key, customer_id=model.customer_id)


def items_changed(model: Model) -> bool:
    """Whether items were written since the newest build began."""
    newest = model.builds.order_by("-id").first()
    revision = ItemRevision.objects.filter(pk=model.customer_id).values_list("revision", flat=True).first()
    # A revision is the moment of the write in milliseconds; nothing stored is nothing to learn.
    return revision is not None and (newest is None or revision > newest.started_at.timestamp() * 1000)


@schedule.periodic("engine.build_popularity", every=POPULARITY_EVERY)
def build_popularity() -> None:
    enqueue_builds(kinds=OFTEN, every=POPULARITY_EVERY)


@schedule.periodic("engine.build_content", every=CONTENT_EVERY)
def build_content() -> None:
    """What is learnt from the items themselves, where they have changed: a new item has likes in a minute."""
    for account in directory.directory.all():
        for model in trained_models(account.customer_id, kinds=CONTENT):
            if items_changed(model):
                enqueue(model)


@queue.job(REFRESH_JOB)
def run_refresh(job: queue.Run) -> dict[str, Any]:
    """Refresh one model."""
    model = Model.objects.filter(pk=job.payload["model"]).first()
    if model is None:
        raise queue.GiveUp("The model of this job no longer exists.")
    row = refresh(model)
    return {"build": row.pk, "status": str(row.status)} if row else {}


@schedule.periodic("engine.refresh_pairs", every=REFRESH_EVERY)
def refresh_pairs() -> None:
    """What goes together, for items that something happened to since: ready in minutes, not in an hour."""
    kinds = tuple(name for name, kind in registry.kinds().items() if kind.relearns)
    for account in directory.directory.all():
        for model in trained_models(account.customer_id, kinds=kinds):
            if not model.divisions and has_news(model):
                queue.enqueue(
                    REFRESH_JOB, {"model": model.pk}, key=model.job_key, customer_id=model.customer_id
                )


def has_news(model: Model) -> bool:
    """Whether anything that the model learns from happened since the version that serves."""
    serving = serving_build(model)
    if serving is None or not serving.until:
        return False
    codes = registry.kind(model.kind).codes(model.signal, parameters_of(model))
    return queries.any_after(model.customer_id, events=codes, ts=serving.until)


@schedule.periodic("engine.build_linear", every=LINEAR_EVERY)
def build_linear() -> None:
    enqueue_builds(kinds=LINEAR, every=LINEAR_EVERY)


@schedule.periodic("engine.build_pairs", every=HOURLY)
def build_pairs() -> None:
    others = {name for name, kind in registry.kinds().items() if kind.trained} - {*OFTEN, *CONTENT, *LINEAR}
    enqueue_builds(kinds=tuple(sorted(others)), every=HOURLY)
    ended = ModelBuild.objects.filter(status__in=[ModelBuild.Status.FAILED, ModelBuild.Status.RETIRED])
    ended.filter(started_at__lt=timezone.now() - KEPT_BUILDS).delete()
    ended.filter(started_at__lt=timezone.now() - KEPT_REFRESHES, partial=True).delete()

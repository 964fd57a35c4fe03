"""Settings of learners, found on a customer's own events.

Once a week the events of each model are divided by time: from the earlier ones is learnt, with settings
tried one after the other, and the later ones judge. What an editor set stays as it was set; a setting that
does not do better than the default is not taken (docs/models.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config.customers import directory
from config.jobs import queue, schedule
from personalization.server import building
from personalization.server.evaluation import search
from personalization.server.learning import registry
from personalization.server.learning.events import History
from personalization.server.models import Model, ModelBuild

JOB = "engine.choose"
WEEK = timedelta(days=7)
# The worker of a new installation has its first builds to do.
AFTER_FIRST_BUILD = timedelta(hours=1)
LATER = 0.2  # of the events judge

Found = search.Found[Any]
Choice = Callable[[History, Mapping[str, Any]], Found]


# Their modules are imported late: they compile loops, which web processes have no use for.
def for_people(history: History, parameters: Mapping[str, Any]) -> Found:
    from personalization.server.evaluation import own, topn
    from personalization.server.learning.linear import Settings

    parts = own.divided(history, share=LATER)
    return topn.found_later(parts.known, parts.later, start=settings_of(Settings, parameters))


def for_visits(history: History, parameters: Mapping[str, Any]) -> Found:
    from personalization.server.evaluation import visits
    from personalization.server.learning.sessions import Settings

    return visits.found_later(history, parameters, start=settings_of(Settings, parameters))


CHOICES: dict[str, Choice] = {"for_you": for_people, "visits": for_visits}


def settings_of(kind: type[Any], parameters: Mapping[str, Any]) -> Any:
    return kind(**{name: parameters[name] for name in asdict(kind()) if name in parameters})


def choose(model: Model) -> dict[str, Any]:
    """Try settings on the model's events and keep the best. Returns what is kept on the row.

    Raises :class:`~config.faults.Fault` when the disk is full; the settings of before stay then.
    """
    from personalization.server.evaluation.tables import WrongTable

    kind = registry.kind(model.kind)
    start = registry.with_defaults(kind, model.parameters)
    said: dict[str, Any] = {"version": 1, "at": timezone.now().isoformat(), "parameters": {}}
    try:
        with building.history_of(
            model.customer_id, codes=kind.codes(model.signal, start), window_days=start["window_days"]
        ) as history:
            found = CHOICES[model.kind](history, start)
            said |= {"events": history.events, "score": found.score, "start": found.start}
            better = asdict(found.settings)
            said["parameters"] = {
                name: value
                for name, value in better.items()
                if value != start.get(name) and name not in model.parameters and name in kind.defaults
            }
    except (building.NoEvents, WrongTable) as reason:
        said["reason"] = str(reason)
    model.chosen = said
    model.save(update_fields=["chosen"])
    return said


@queue.job(JOB)
def run_choice(job: queue.Run) -> dict[str, Any]:
    model = Model.objects.filter(pk=job.payload["model"]).first()
    if model is None:
        raise queue.GiveUp("The model of this job no longer exists.")
    return choose(model)


def models_of(customer_id: str) -> list[Model]:
    """The models whose settings are chosen."""
    return list(Model.objects.filter(customer_id=customer_id, kind__in=CHOICES).order_by("pk"))


def is_due(model: Model) -> bool:
    """Whether a week has passed, and the model serves long enough not to hinder first builds."""
    now = timezone.now()
    if model.chosen.get("at", "") > (now - WEEK).isoformat():
        return False
    first = model.builds.filter(status__in=[ModelBuild.Status.ACTIVE, ModelBuild.Status.RETIRED])
    return first.filter(finished_at__lt=now - AFTER_FIRST_BUILD).exists()


@schedule.periodic("engine.choose_settings", every=AFTER_FIRST_BUILD.total_seconds())
def choose_all() -> None:
    """Queue the search for every model whose turn it is."""
    for account in directory.directory.all():
        for model in models_of(account.customer_id):
            if is_due(model):
                queue.enqueue(JOB, {"model": model.pk}, key=model.job_key, customer_id=model.customer_id)

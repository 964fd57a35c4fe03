"""The doctor's questions about exports, imports and models: did the last of each go well?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Max

from config.checks import Finding, part
from personalization.client.models import ExportRun
from personalization.server.models import ImportRun, Model, ModelBuild

LONGEST_REASON = 200


@part("export")
def exports() -> Iterator[Finding]:
    newest = ExportRun.objects.order_by().values("customer_id").annotate(newest=Max("pk"))
    for run in ExportRun.objects.filter(pk__in=[row["newest"] for row in newest]):
        if run.phase == ExportRun.Phase.FAILED:
            yield failed(
                f"export of customer {run.customer_id}", run.error, "Then run `manage.py run_export`."
            )


@part("import")
def imports() -> Iterator[Finding]:
    """The newest full import of each customer, type and language."""
    full = ImportRun.objects.filter(action="FULL").order_by()
    newest = full.values("customer_id", "item_type", "language").annotate(newest=Max("pk"))
    for run in ImportRun.objects.filter(pk__in=[row["newest"] for row in newest]):
        if run.status == ImportRun.Status.FAILED:
            about = f"import of {run.subject} ({run.language}) for customer {run.customer_id}"
            yield failed(about, run.error, "Then run `manage.py run_export` again.")


@part("model")
def models() -> Iterator[Finding]:
    newest = ModelBuild.objects.order_by().values("model").annotate(newest=Max("pk"))
    builds = ModelBuild.objects.filter(pk__in=[row["newest"] for row in newest], status="failed")
    for build in builds.select_related("model"):
        model: Model = build.model
        if build.lacked_events:
            yield Finding(f"model {model}", f"waits for events: {build.error}")
            continue
        yield failed(f"model {model}", build.error, "Then run `manage.py build_models`.")


def failed(about: str, reason: str, then: str) -> Finding:
    return Finding(about, f"the last one failed: {reason[:LONGEST_REASON]}", f"Mend what it names. {then}")

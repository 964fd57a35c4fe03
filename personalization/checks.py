"""The doctor's questions: did exports, imports, messages and builds go well, is the demo's login gone?"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.db.models import Count, Max

from config.checks import Finding, part
from config.jobs.models import Outbox
from config.jobs.outbox import STOPPED
from personalization.client.models import ExportRun
from personalization.demo.login import LOGIN, PASSWORD
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


@part("outbox")
def messages() -> Iterator[Finding]:
    """Messages that nobody tries any more, for each customer."""
    stopped = Outbox.objects.filter(state__in=STOPPED).order_by()
    counts = stopped.values("customer_id").annotate(count=Count("pk"), newest=Max("pk"))
    reasons = Outbox.objects.in_bulk([row["newest"] for row in counts])
    for row in counts:
        last = reasons[row["newest"]].error[:LONGEST_REASON]
        yield Finding(
            f"outbox of customer {row['customer_id']}",
            f"{row['count']} messages stopped, the newest: {last}",
            "Mend what it names, then send them again under Personalization > Outbox in the back office.",
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


@part("login")
def demo_login() -> Iterator[Finding]:
    if settings.DEBUG:
        return
    users = get_user_model()._default_manager.filter(
        **{get_user_model().USERNAME_FIELD: LOGIN}, is_active=True
    )
    for user in users:
        if check_password(PASSWORD, user.password):
            yield Finding(
                "login",
                f"the user {LOGIN} has the demo's password, which everybody knows",
                f"Give it another with `manage.py changepassword {LOGIN}`, or delete the user.",
            )


def failed(about: str, reason: str, then: str) -> Finding:
    return Finding(about, f"the last one failed: {reason[:LONGEST_REASON]}", f"Mend what it names. {then}")

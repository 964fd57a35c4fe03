"""What `manage.py doctor` says of exports, imports and models."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from pytest_django import Settings

from config.checks import examine
from config.jobs.models import Outbox
from personalization.checks import models
from personalization.client.models import ExportRun
from personalization.demo.login import LOGIN, PASSWORD
from personalization.server.models import ImportRun, Model, ModelBuild

pytestmark = pytest.mark.django_db(databases="__all__")


def bad() -> dict[str, str]:
    return {finding.about: finding.text for finding in examine() if not finding.well}


def run(status: str, error: str = "") -> None:
    ImportRun.objects.create(
        customer_id="501",
        action="FULL",
        item_type=38,
        type_name="Place",
        language="eng-GB",
        status=status,
        error=error,
    )


def test_it_names_the_last_import_that_failed_until_one_went_well() -> None:
    run("done")
    run("failed", "http://localhost:8001/x refused the connection.")
    about = "import of Place (eng-GB) for customer 501"
    assert bad()[about] == "the last one failed: http://localhost:8001/x refused the connection."

    run("done")

    assert about not in bad()


def test_it_names_exports_and_models_that_failed() -> None:
    ExportRun.objects.create(
        customer_id="501", site_name="en", folder="f", phase="failed", error="The disk is full."
    )
    model = Model.objects.create(customer_id="501", identifier="also_bought", name="x", kind="pairs")
    ModelBuild.objects.create(model=model, status="failed", error="No events.")

    assert bad()["export of customer 501"] == "the last one failed: The disk is full."
    assert bad()["model also_bought of 501"] == "the last one failed: No events."


def test_a_model_that_waits_for_events_is_no_fault() -> None:
    model = Model.objects.create(customer_id="7", identifier="top", kind="top_clicked", signal="click")
    error = "There are no click events of customer 7 yet."
    ModelBuild.objects.create(model=model, status=ModelBuild.Status.FAILED, error=error)
    [finding] = (one for one in models() if one.about == "model top of 7")
    assert (finding.well, finding.text) == (True, f"waits for events: {error}")


def test_it_refuses_the_demos_login_outside_development(settings: Settings) -> None:
    settings.DEBUG = False
    user = get_user_model().objects.create_superuser(LOGIN, password=PASSWORD)
    assert "the user admin has the demo's password" in bad()["login"]
    user.set_password("something else of mine")
    user.save()
    assert "login" not in bad()


def test_it_lets_the_demo_have_its_login_in_development(settings: Settings) -> None:
    settings.DEBUG = True
    get_user_model().objects.create_superuser(LOGIN, password=PASSWORD)
    assert "login" not in bad()


def test_it_counts_messages_that_nobody_tries_any_more() -> None:
    for number, (state, error) in enumerate(
        (("parked", "Away."), ("failed", "Refused."), ("queued", "Busy."))
    ):
        Outbox.objects.create(kind="k", key=str(number), customer_id="501", state=state, error=error)
    assert bad()["outbox of customer 501"] == "2 messages stopped, the newest: Refused."
    Outbox.objects.update(state="done")
    assert "outbox of customer 501" not in bad()

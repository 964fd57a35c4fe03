"""The histories of imports and exports end; the newest runs stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from personalization.client import upkeep
from personalization.client.export import files
from personalization.client.models import ExportRun
from personalization.server.items import old_runs
from personalization.server.models import ImportRun

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=31)


def imported(customer: str, *, action: str = "UPDATE", language: str = "eng-GB") -> int:
    return ImportRun.objects.create(
        customer_id=customer,
        action=action,
        item_type=1,
        language=language,
        status=ImportRun.Status.DONE,
        finished_at=timezone.now() - LONG_AGO,
    ).pk


def test_it_deletes_old_imports_but_what_the_doctor_and_the_items_date_need() -> None:
    imported("1", action="FULL")
    kept = {imported("1", action="FULL"), imported("1", action="FULL", language="fre-FR")}
    imported("1")
    kept |= {imported("1"), imported("2")}
    waiting = ImportRun.objects.create(customer_id="1", action="UPDATE", item_type=1)
    assert old_runs.forget_old() == 2
    assert set(ImportRun.objects.values_list("pk", flat=True)) == kept | {waiting.pk}


def exported(customer: str, name: str, *, phase: str) -> ExportRun:
    folder = f"2026/01/01/00/00/{customer}-{name}"
    files.absolute(folder).mkdir(parents=True)
    return ExportRun.objects.create(
        customer_id=customer, folder=folder, phase=phase, finished_at=timezone.now() - LONG_AGO
    )


def test_it_deletes_old_exports_with_their_files(settings: Settings, tmp_path: Path) -> None:
    settings.EXPORT_ROOT = tmp_path
    gone = exported("1", "a", phase=ExportRun.Phase.DONE)
    kept = {exported("1", "b", phase=ExportRun.Phase.DONE).pk}
    exported("1", "c", phase=ExportRun.Phase.FAILED)
    kept |= {exported("1", "d", phase=ExportRun.Phase.FAILED).pk}
    assert upkeep.forget_old_runs() == 2
    assert set(ExportRun.objects.values_list("pk", flat=True)) == kept
    assert not files.absolute(gone.folder).exists()


def test_it_forgets_the_sealed_key_of_an_export_that_needs_no_other_announcement() -> None:
    options = {"sites": ["site"], "sealed_license_key": "sealed"}
    run = ExportRun.objects.create(customer_id="1", folder="x", options=dict(options))
    run.end(ExportRun.Phase.FAILED)
    assert ExportRun.objects.get().options == options
    run.end(ExportRun.Phase.DONE)
    assert ExportRun.objects.get().options == {"sites": ["site"]}

"""Forget dates of stored items that PostgreSQL takes and Python cannot read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import migrations

EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


def forget_unreadable_dates(apps, schema_editor):
    items = apps.get_model("engine", "StoredItem").objects.using(schema_editor.connection.alias)
    for name in ("valid_from", "valid_to"):
        items.filter(**{f"{name}__lt": EARLIEST}).update(**{name: None})
        items.filter(**{f"{name}__gt": LATEST}).update(**{name: None})


class Migration(migrations.Migration):
    dependencies = [("engine", "0003_item_revisions")]

    operations = [migrations.RunPython(forget_unreadable_dates, migrations.RunPython.noop)]

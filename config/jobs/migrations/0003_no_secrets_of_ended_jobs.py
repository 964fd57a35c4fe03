"""Sealed credentials of jobs that ended before they were taken out at the end."""

from django.db import migrations


def take_out(apps, schema_editor):
    jobs = apps.get_model("jobs", "Job").objects.using(schema_editor.connection.alias)
    ended = jobs.exclude(state__in=["queued", "running"]).filter(payload__has_key="secret")
    for row in ended.only("pk", "payload").iterator(chunk_size=500):
        row.payload.pop("secret", None)
        row.save(update_fields=["payload"])


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_periodic")]
    operations = [migrations.RunPython(take_out, migrations.RunPython.noop, elidable=True)]

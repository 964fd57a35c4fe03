from typing import Any

from django.db import migrations, models
from django.db.models import Sum


def count(apps: Any, _editor: Any) -> None:
    """What was counted anew at every chunk until now, for the runs that go on."""
    run, payload = apps.get_model("dataflows", "Run"), apps.get_model("dataflows", "Payload")
    for one in run.objects.filter(ended_at__isnull=True):
        chunks = payload.objects.filter(run=one).order_by()
        done = chunks.filter(is_done=True)
        run.objects.filter(pk=one.pk).update(
            size=chunks.aggregate(total=Sum("size"))["total"] or 0,
            done_chunks=done.count(),
            done_rows=done.aggregate(total=Sum("rows"))["total"] or 0,
        )


class Migration(migrations.Migration):

    dependencies = [
        ('dataflows', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='done_chunks',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='done_rows',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='size',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='payload',
            name='is_done',
        ),
    ]

from django.db import migrations, models
from django.db.models import F, Max


def reserve(apps, schema_editor):
    """Until now a run wrote under the generation in force and its own key: begin behind all of these."""
    newest = apps.get_model("dataflows", "Run").objects.aggregate(newest=Max("pk"))["newest"] or 0
    apps.get_model("dataflows", "MappedSchema").objects.update(begun=F("generation") + newest)


class Migration(migrations.Migration):
    dependencies = [
        ("dataflows", "0004_schedule"),
    ]

    operations = [
        migrations.AddField(
            model_name="mappedschema",
            name="begun",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(reserve, migrations.RunPython.noop),
    ]

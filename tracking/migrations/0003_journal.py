from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0002_lighter_writes")]

    operations = [
        migrations.RenameModel(old_name="LakeCursor", new_name="Cursor"),
        migrations.CreateModel(
            name="JournaledBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.PositiveIntegerField()),
                ("events", models.TextField()),
                ("edges", models.TextField()),
                ("refused", models.BooleanField(default=False)),
            ],
        ),
    ]

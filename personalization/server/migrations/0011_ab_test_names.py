from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0010_triggers'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='scenariotest',
            options={'verbose_name': 'A/B test'},
        ),
    ]

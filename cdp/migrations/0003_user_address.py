"""An index on the lower-case address of users, by which requests name people.

The table of users is not ours, so it is not a model's index: `cdp.webhook.people` uses it where it is there.
"""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import migrations

NAME = 'cdp_user_address'


def create(_apps, editor):
    user = get_user_model()
    table, column = user._meta.db_table, user._meta.get_field(user.get_email_field_name()).column
    quoted = editor.quote_name
    editor.execute(
        f'CREATE INDEX IF NOT EXISTS {NAME} ON {quoted(table)} (lower({quoted(column)}))'
    )


def drop(_apps, editor):
    editor.execute(f'DROP INDEX IF EXISTS {NAME}')


class Migration(migrations.Migration):

    dependencies = [
        ('cdp', '0002_leaner_queue'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [migrations.RunPython(create, drop)]

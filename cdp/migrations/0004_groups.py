"""Groups for editors, marketers, analysts and administrators (docs/permissions.md).

Django makes permissions after all migrations have run, so those that the groups get are made here first.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from cdp import groups


def make(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    labels = {name.split(".")[0] for names in groups.GROUPS.values() for name in names}
    for label in sorted(labels - {"wagtailadmin"}):  # which makes its own, likewise by a migration
        config = apps.get_app_config(label)
        config.models_module = True  # an application of the past has none, and would be passed over
        create_permissions(config, verbosity=0, using=using, apps=apps)
        config.models_module = None
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    groups.make(group.objects.using(using), permission.objects.using(using))


class Migration(migrations.Migration):
    dependencies = [
        ("cdp", "0003_user_address"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        # They give permissions to all groups that may enter the back office, so before there are ours.
        ("wagtailimages", "0023_add_choose_permissions"),
        ("wagtaildocs", "0011_add_choose_permissions"),
        ("customers", "0004_consent"),
        ("jobs", "0005_message_order"),
        ("tracking", "0009_person"),
        ("connector", "0001_initial"),
        ("engine", "0012_evaluations"),
        ("segments", "0002_fewer_indexes"),
        ("profiles", "0005_rights"),
        ("dataflows", "0004_schedule"),
        ("audiences", "0001_initial"),
        ("activations", "0002_request_log"),
    ]

    # Nobody's group is taken away again: people may be in it.
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]

"""Give the keys there are their slots: the newest two of each bot that are not revoked; older ones end."""

from collections import Counter

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    keys = apps.get_model("accounts", "ApiKey").objects
    taken: Counter[int] = Counter()
    for key in keys.filter(revoked_at=None).order_by("-pk").iterator():
        taken[key.service_user_id] += 1
        slot = taken[key.service_user_id]
        if slot <= 2:
            keys.filter(pk=key.pk).update(slot=slot)
        else:
            keys.filter(pk=key.pk).update(revoked_at=timezone.now(), is_active=False, version=key.version + 1)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_key_use")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

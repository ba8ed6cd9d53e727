"""Who pulled a suspension that has lapsed, or one at once with a later one, holds no place for it any more."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F
from django.utils import timezone


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    members = apps.get_model("accounts", "Member").objects
    members.filter(suspended_until__lte=timezone.now()).update(suspended_by=None)
    members.filter(suspended_by=F("pk")).update(suspended_by=None)
    seen: set[int] = set()
    running = members.filter(suspended_until__isnull=False, suspended_by__isnull=False).order_by("-suspended_at")
    for pk, puller in running.values_list("pk", "suspended_by_id"):
        if puller in seen:
            members.filter(pk=pk).update(suspended_by=None)
        seen.add(puller)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_longer_answers")]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop, elidable=True)]

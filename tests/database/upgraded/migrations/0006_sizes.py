from typing import Any

from django.db import migrations
from django.db.models import QuerySet
from django.db.models.functions import Length

from portal.core.database.migrating.in_batches import RunInBatches


def measure(rows: "QuerySet[Any]") -> None:
    rows.filter(size=None).update(size=Length("text"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("upgraded", "0005_never_was")]
    operations = [RunInBatches("upgraded", "Row", measure, size=500)]

from django.db import migrations

from portal.core.database.migrating.online import RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("upgraded", "0006_sizes")]
    operations = [RemoveIndexConcurrently("Row", "upgraded_by_number")]

from django.db import migrations, models

from portal.core.database.migrating.online import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("upgraded", "0002_size")]
    operations = [AddIndexConcurrently("Row", models.Index(fields=["number", "text"], name="upgraded_by_number"))]

from django.db import migrations

from portal.core.database.migrating.online import ValidateConstraint


class Migration(migrations.Migration):
    dependencies = [("upgraded", "0004_never_negative")]
    operations = [ValidateConstraint("Row", "upgraded_never_negative")]

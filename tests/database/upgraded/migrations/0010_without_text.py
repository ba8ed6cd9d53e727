from django.db import migrations, models

from portal.core.database.migrating.online import DropUnusedColumn


class Migration(migrations.Migration):
    contracts = {"row.text": "0.2.0"}
    dependencies = [("upgraded", "0009_text_is_given_up")]
    operations = [DropUnusedColumn("Row", "text", models.TextField(null=True))]

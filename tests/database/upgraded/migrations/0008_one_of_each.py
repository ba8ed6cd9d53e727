from django.db import migrations, models

from portal.core.database.migrating.online import AddUniqueConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("upgraded", "0007_no_longer_by_number")]
    operations = [
        AddUniqueConcurrently("Row", models.UniqueConstraint(fields=["id", "number"], name="upgraded_once")),
        AddUniqueConcurrently(
            "Row",
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(number__gt=10), name="upgraded_once_if_large"
            ),
        ),
    ]

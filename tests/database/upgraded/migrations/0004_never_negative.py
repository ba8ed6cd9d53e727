from django.db import migrations, models

from portal.core.database.migrating.online import AddConstraintNotValid


class Migration(migrations.Migration):
    dependencies = [("upgraded", "0003_by_number")]
    operations = [
        AddConstraintNotValid(
            "Row", models.CheckConstraint(condition=models.Q(number__gte=0), name="upgraded_never_negative")
        )
    ]

"""What is approved and not done is found along an index of its own: few rows, counted whenever measures are read."""

from django.db import migrations, models

from portal.core.database.migrating.online import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("policies", "0010_rehearsals")]
    operations = [
        AddIndexConcurrently(
            "ChangeRequest",
            models.Index(fields=["id"], condition=models.Q(state="approved"), name="change_approved"),
        )
    ]

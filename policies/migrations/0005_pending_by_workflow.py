"""The inbox counts what waits in each workflow: where little does, that read all that waits in the others.

The index by what is asked serves that as well, with the workflow before it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_key_to_claim"),
        ("policies", "0004_requests_by_service_user"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="changerequest", name="change_pending_by_operation"),
        migrations.AddIndex(
            model_name="changerequest",
            index=models.Index(
                fields=["organization", "workflow", "operation"],
                condition=models.Q(state="pending"),
                name="change_pending_by_workflow",
            ),
        ),
    ]

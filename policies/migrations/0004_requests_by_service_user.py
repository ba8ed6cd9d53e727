"""Two looks that grew with the past: what is open of one kind, and of which bots there is any request in a list.

The inbox offers those bots: one look for each of them, which by the foreign key alone would read all that the bot ever
asked for. The badge leaves out what would let keys of its reader withdraw: a look for requests of one kind, which by
what is pending would read all that is.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_key_to_claim"),
        ("policies", "0003_one_organization"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="changerequest",
            index=models.Index(fields=["service_user", "state"], name="change_by_service_user"),
        ),
        migrations.AddIndex(
            model_name="changerequest",
            index=models.Index(
                fields=["organization", "operation"],
                condition=models.Q(state="pending"),
                name="change_pending_by_operation",
            ),
        ),
    ]

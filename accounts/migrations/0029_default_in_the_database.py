"""Nodes of the version before write no number of approvals: the database has it for them."""

from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0028_invitations_agreed_to"),
    ]

    operations = [
        migrations.AlterField(
            model_name="invitation",
            name="approvals",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]

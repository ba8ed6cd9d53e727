"""What a withdrawal is sent for, and each search for one whose answer was lost.

The table is rebuilt on SQLite, where its triggers are lifted meanwhile.
"""

import django.db.models.deletion
from django.db import migrations, models

from portal.core.database.sqlite_rebuild import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("kraken", "0003_one_organization"),
    ]

    operations = [
        migrations.AddField(
            model_name="withdrawal",
            name="accepted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="alarmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="is_not_done",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="request",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("nonce", models.BigIntegerField(null=True)),
                ("listed", models.JSONField(default=list)),
                ("found", models.JSONField(default=list)),
                ("trouble", models.CharField(blank=True, max_length=300)),
                (
                    "withdrawal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="looked_for", to="kraken.withdrawal"
                    ),
                ),
            ],
        ),
    ]

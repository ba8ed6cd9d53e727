"""What a withdrawal is worth, where it leads, who asked and when it ended: what sums over withdrawals read."""

from django.db import migrations, models

from portal.core.database.sqlite_rebuild import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("policies", "0006_rules"),
        ("treasury", "0002_one_organization"),
    ]

    operations = [
        migrations.AddField("withdrawal", "value_hundredths", models.BigIntegerField(null=True)),
        migrations.AddField("withdrawal", "destination", models.CharField(db_default="", default="", max_length=346)),
        migrations.AddField("withdrawal", "initiator", models.CharField(db_default="", default="", max_length=40)),
        migrations.AddField("withdrawal", "sent_at", models.DateTimeField(null=True)),
        migrations.AddField("withdrawal", "released_at", models.DateTimeField(null=True)),
    ]

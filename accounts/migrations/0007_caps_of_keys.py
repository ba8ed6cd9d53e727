"""The most that a Service User may withdraw, once and in 24 hours."""

from django.db import migrations, models

from portal.core.database.sqlite_rebuild import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [("accounts", "0006_key_checks_where_written")]

    operations = [
        migrations.AddField("serviceuser", "withdrawal_cap_hundredths", models.BigIntegerField(null=True)),
        migrations.AddField("serviceuser", "daily_cap_hundredths", models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            "serviceuser",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("withdrawal_cap_hundredths", None), ("withdrawal_cap_hundredths__gt", 0), _connector="OR"
                    ),
                    models.Q(("daily_cap_hundredths", None), ("daily_cap_hundredths__gt", 0), _connector="OR"),
                ),
                name="service_user_caps_above_zero",
            ),
        ),
    ]

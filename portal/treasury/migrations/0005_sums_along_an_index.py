"""Indexes along which sums of withdrawals are reckoned, and their past is read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("treasury", "0004_old_withdrawals")]

    operations = [
        migrations.AddIndex(
            "withdrawal",
            models.Index(
                fields=[
                    "organization",
                    "sent_at",
                    "asset",
                    "account",
                    "destination",
                    "initiator",
                    "value_hundredths",
                    "amount_units",
                    "change",
                ],
                name="withdrawal_sums",
            ),
        ),
        migrations.AddIndex(
            "withdrawal",
            models.Index(
                condition=models.Q(("released_at", None), ("sent_at", None)),
                fields=["organization"],
                name="withdrawal_held",
            ),
        ),
        migrations.AddIndex(
            "withdrawal", models.Index(fields=["organization", "created_at", "id"], name="withdrawal_by_time")
        ),
    ]

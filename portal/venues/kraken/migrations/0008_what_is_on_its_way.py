"""What an exchange has accepted is asked after in its time: found by when that is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("kraken", "0007_whose_exports"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="withdrawal",
            index=models.Index(
                condition=models.Q(("look_at__isnull", False), ("step", "accepted")),
                fields=["look_at"],
                name="kraken_withdrawal_on_its_way",
            ),
        ),
    ]

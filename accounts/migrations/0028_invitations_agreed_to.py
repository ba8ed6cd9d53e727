from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0027_one_cancellation_each"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="approvals",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]

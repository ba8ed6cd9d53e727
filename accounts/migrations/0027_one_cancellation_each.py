import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0026_pauses"),
    ]

    operations = [
        migrations.AddField(
            model_name="recovery",
            name="canceller",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="recovery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("canceller__isnull", False)),
                fields=("member", "canceller"),
                name="recovery_cancelled_once_by_each",
            ),
        ),
    ]

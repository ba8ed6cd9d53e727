import django.db.models.deletion
from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0025_rest_from_enrolment"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="paused_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="paused_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.member",
            ),
        ),
        migrations.AddField(
            model_name="serviceuser",
            name="suspended_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.member",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), ("paused_at", None), _connector="OR"),
                name="api_key_paused_is_not_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paused_at", None), ("paused_by", None)),
                    models.Q(("paused_at__isnull", False), ("paused_by__isnull", False)),
                    _connector="OR",
                ),
                name="api_key_paused_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceuser",
            constraint=models.CheckConstraint(
                condition=models.Q(("suspended_by", None), ("suspended_at__isnull", False), _connector="OR"),
                name="service_user_suspended_if_by_somebody",
            ),
        ),
    ]

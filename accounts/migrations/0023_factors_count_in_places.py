"""A factor counts in places of its owner, and a link to enrol one is for one of these (DESIGN M4)."""

import django.db.models.deletion
from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0022_spent_steps"),
    ]

    operations = [
        migrations.AddField(
            model_name="accesslink",
            name="member",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.member",
            ),
        ),
        migrations.AddField(
            model_name="authenticator",
            name="places",
            field=models.ManyToManyField(related_name="authenticators", to="accounts.member"),
        ),
        migrations.AddField(
            model_name="passkey",
            name="places",
            field=models.ManyToManyField(related_name="passkeys", to="accounts.member"),
        ),
        migrations.AddField(
            model_name="recoverycode",
            name="places",
            field=models.ManyToManyField(related_name="recovery_codes", to="accounts.member"),
        ),
    ]

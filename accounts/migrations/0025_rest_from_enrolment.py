"""Rest lasts until a day after somebody has enrolled again (DESIGN M4)."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from portal.core.rebuilding import KeepsTriggers


def from_the_reset(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Who holds a factor by now has enrolled again; when is not known, so the day counts as it did until now."""
    members = apps.get_model("accounts", "Member").objects.filter(factors_reset_at__isnull=False)
    holding = models.Q(authenticators__isnull=False) | models.Q(passkeys__isnull=False)
    again = list(members.filter(holding).values_list("pk", flat=True).distinct())
    members.filter(pk__in=again).update(factors_enrolled_at=models.F("factors_reset_at"))


def nothing(_apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Going back, the column goes."""


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0024_where_factors_count"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="factors_enrolled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(from_the_reset, nothing),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("factors_enrolled_at", None),
                    ("factors_enrolled_at__gte", models.F("factors_reset_at")),
                    _connector="OR",
                ),
                name="member_enrols_after_reset",
            ),
        ),
    ]

from django.db import migrations, models

from portal.core.rebuilding import KeepsTriggers


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0020_forget_lapsed_pullers"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("suspended_until__isnull", False)),
                fields=("suspended_by",),
                name="member_one_suspension_each",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("suspended_by", None),
                    models.Q(("suspended_by", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="member_suspended_by_another",
            ),
        ),
    ]

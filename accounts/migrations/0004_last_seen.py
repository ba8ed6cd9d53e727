"""When a Member last did something, beyond the life of their sessions."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0003_attempts_and_notices")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="member",
            name="last_seen_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

"""Keys that wait to be revealed, by who made them: found at once, however many keys there have been."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_streaming"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(
                condition=models.Q(("revealed_at__isnull", True), ("revoked_at__isnull", True)),
                fields=["made_by"],
                name="api_key_to_claim",
            ),
        ),
    ]

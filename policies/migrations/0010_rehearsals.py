"""Rehearsals, what was decided last and who has decided it are each found along an index of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0009_drafts"),
    ]

    operations = [
        migrations.AddIndex(
            "changerequest",
            models.Index(
                fields=["organization", "-id"], condition=models.Q(subject="rehearsal"), name="change_rehearsals"
            ),
        ),
        migrations.AddIndex(
            "changerequest",
            models.Index(
                fields=["organization", "workflow", "-ended_at"],
                condition=models.Q(approvals_required__gt=0, ended_at__isnull=False),
                name="change_decided",
            ),
        ),
        migrations.AddIndex("decision", models.Index(fields=["member", "at"], name="decision_by_member")),
    ]

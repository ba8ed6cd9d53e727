"""What somebody wants to know of rules before they count."""

import django.db.models.deletion
from django.db import migrations, models

from portal.core.database.tenant_triggers import Belonging, hold

REPLAY = Belonging(
    "policies_replay",
    ("organization_id", "author_id"),
    """EXISTS (SELECT 1 FROM accounts_member
        WHERE accounts_member.id = NEW.author_id AND accounts_member.organization_id = NEW.organization_id)""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("policies", "0007_freezes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=16, unique=True)),
                ("rules", models.JSONField()),
                ("in_force", models.JSONField(null=True)),
                ("since", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("passed", models.PositiveIntegerField(default=0)),
                ("expected", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("result", models.JSONField(null=True)),
                ("found", models.JSONField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("moved_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="replays", to="accounts.member"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="replays", to="accounts.organization"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["author", "-id"], name="replay_by_author"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])), fields=["id"], name="replay_to_do"
                    ),
                    models.Index(fields=["asked_at"], name="replay_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("author",),
                        name="replay_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "running", "done", "failed", "cancelled"])),
                        name="replay_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("found__isnull", False), ("result__isnull", False), ("state", "done")),
                            models.Q(
                                models.Q(("state", "done"), _negated=True),
                                ("found__isnull", True),
                                ("result__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="replay_result_when_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["waiting", "running"])),
                            models.Q(
                                models.Q(("state__in", ["waiting", "running"]), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="replay_ended_when_final",
                    ),
                ],
            },
        ),
        hold(REPLAY),
    ]

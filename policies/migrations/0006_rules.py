"""Policies of several rules, groups of Members, and what a request waits for besides a number (DESIGN P7)."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

from portal.core.database.sqlite_rebuild import KeepsTriggers
from portal.core.database.tenant_triggers import Belonging, hold

GROUP_MEMBER = Belonging(
    "policies_groupmember",
    ("group_id", "member_id"),
    """EXISTS (SELECT 1 FROM policies_group JOIN accounts_member
        ON accounts_member.organization_id = policies_group.organization_id
        WHERE policies_group.id = NEW.group_id AND accounts_member.id = NEW.member_id)""",
)


class Migration(KeepsTriggers):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("policies", "0005_pending_by_workflow"),
    ]

    operations = [
        migrations.AddField(
            "policy", "rules", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)
        ),
        migrations.AddField(
            "changerequest",
            "required_besides",
            models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField("changerequest", "ready_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "changerequest",
            models.Index(
                condition=models.Q(("ready_at__isnull", False), ("state", "approved")),
                fields=["ready_at"],
                name="change_ready",
            ),
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("removed_at", None)),
                        name="group_name_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="policies.group",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_memberships",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "member"), name="group_member_once"),
                ],
            },
        ),
        hold(GROUP_MEMBER),
    ]

"""Rules that a Member is still writing, of their own Organization alone (DESIGN P7, security AZ-3)."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import policies.workflows
from portal.core.database.tenant_triggers import Belonging, hold

DRAFT = Belonging(
    "policies_policydraft",
    ("organization_id", "author_id"),
    """EXISTS (SELECT 1 FROM accounts_member
        WHERE id = NEW.author_id AND organization_id = NEW.organization_id)""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("policies", "0008_replays"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "workflow",
                    models.CharField(
                        choices=[
                            ("manage_access", "Manage Access"),
                            ("manage_policies", "Manage Policies"),
                            ("manage_addresses", "Manage Addresses"),
                            ("initiate_withdrawal", "Initiate Withdrawal"),
                        ],
                        max_length=30,
                    ),
                ),
                ("rules", models.JSONField(default=list)),
                (
                    "open_hours",
                    models.PositiveSmallIntegerField(
                        default=72,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(720),
                        ],
                    ),
                ),
                ("base", models.CharField(max_length=64)),
                ("updated_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policy_drafts", to="accounts.member"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="policy_drafts",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("author", "workflow"), name="policy_draft_one_of_each_author"),
                    models.CheckConstraint(
                        condition=models.Q(("open_hours__gte", 1), ("open_hours__lte", 720)),
                        name="policy_draft_open_hours_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "workflow__in",
                                [
                                    policies.workflows.Workflow["MANAGE_ACCESS"],
                                    policies.workflows.Workflow["MANAGE_POLICIES"],
                                    policies.workflows.Workflow["MANAGE_ADDRESSES"],
                                    policies.workflows.Workflow["INITIATE_WITHDRAWAL"],
                                ],
                            )
                        ),
                        name="policy_draft_workflow_known",
                    ),
                ],
            },
        ),
        hold(DRAFT),
    ]

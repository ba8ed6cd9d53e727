import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import policies.workflows


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField()),
                ("reference", models.CharField(max_length=16, unique=True)),
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
                ("operation", models.CharField(max_length=60)),
                ("subject", models.CharField(blank=True, max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("amount", models.CharField(blank=True, max_length=40)),
                ("asset", models.CharField(blank=True, max_length=16)),
                ("initiator_label", models.CharField(max_length=200)),
                ("source", models.CharField(blank=True, max_length=45)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("params", models.JSONField()),
                ("touched", models.JSONField(default=list)),
                ("overtaken", models.JSONField(default=list)),
                ("digest", models.CharField(max_length=64)),
                ("approvals_required", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("executed", "Executed"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("stale", "Stale"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("remind_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="accounts.account",
                    ),
                ),
                (
                    "api_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes_asked",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "asked_again_from",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="asked_again_as",
                        to="policies.changerequest",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes_asked",
                        to="accounts.member",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="accounts.organization"
                    ),
                ),
                (
                    "service_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes_asked",
                        to="accounts.serviceuser",
                    ),
                ),
                (
                    "subject_member",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.member"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "state", "expires_at"], name="change_open_by_expiry"),
                    models.Index(fields=["organization", "-id"], name="change_by_organization"),
                    models.Index(fields=["member", "state"], name="change_by_member"),
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["expires_at"], name="change_pending_by_expiry"
                    ),
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["account", "expires_at"],
                        name="change_pending_of_account",
                    ),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)), fields=["remind_at"], name="change_to_remind"
                    ),
                    models.Index(fields=["api_key", "state"], name="change_by_key"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="change_number_once_per_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("api_key", None), ("member__isnull", False), ("service_user", None)),
                            models.Q(("api_key__isnull", False), ("member", None), ("service_user__isnull", False)),
                            _connector="OR",
                        ),
                        name="change_asked_by_member_or_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("member__isnull", False),
                            ("state__in", ["pending", "approved"]),
                            models.Q(("subject", ""), _negated=True),
                        ),
                        fields=("organization", "operation", "subject", "member"),
                        name="change_one_open_per_subject_and_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "pending",
                                    "approved",
                                    "executed",
                                    "failed",
                                    "rejected",
                                    "cancelled",
                                    "expired",
                                    "stale",
                                ],
                            )
                        ),
                        name="change_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["pending", "approved"])),
                            models.Q(
                                models.Q(("state__in", ["pending", "approved"]), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="change_ended_when_final",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("approved", models.BooleanField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("digest", models.CharField(max_length=64)),
                ("factor", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="policies.changerequest",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="accounts.member"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("change", "person"), name="decision_one_per_person")],
            },
        ),
        migrations.CreateModel(
            name="Grant",
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
                (
                    "right",
                    models.CharField(
                        choices=[
                            ("view", "View"),
                            ("initiate", "Initiate"),
                            ("approve", "Approve"),
                            ("execute", "Execute"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="accounts.member"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("member", "workflow", "right", "account"), name="grant_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("account", None)),
                        fields=("member", "workflow", "right"),
                        name="grant_for_all_once",
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
                        name="grant_workflow_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "right__in",
                                [
                                    policies.workflows.Right["VIEW"],
                                    policies.workflows.Right["INITIATE"],
                                    policies.workflows.Right["APPROVE"],
                                    policies.workflows.Right["EXECUTE"],
                                ],
                            )
                        ),
                        name="grant_right_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("account", None),
                            (
                                "workflow__in",
                                [
                                    policies.workflows.Workflow["MANAGE_ADDRESSES"],
                                    policies.workflows.Workflow["INITIATE_WITHDRAWAL"],
                                ],
                            ),
                            _connector="OR",
                        ),
                        name="grant_account_only_where_it_counts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
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
                (
                    "approvals",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ]
                    ),
                ),
                ("always", models.BooleanField(default=False)),
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
                ("is_locked", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policies", to="accounts.organization"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "workflow"), name="policy_one_per_workflow"),
                    models.CheckConstraint(
                        condition=models.Q(("approvals__gte", 1), ("approvals__lte", 20)),
                        name="policy_approvals_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("open_hours__gte", 1), ("open_hours__lte", 720)),
                        name="policy_open_hours_in_range",
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
                        name="policy_workflow_known",
                    ),
                ],
            },
        ),
    ]

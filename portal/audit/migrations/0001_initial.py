import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Chain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("length", models.PositiveBigIntegerField(default=0)),
                ("head", models.CharField(blank=True, default="", max_length=64)),
                (
                    "organization",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chain",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=60)),
                ("workflow", models.CharField(blank=True, max_length=30)),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.BigIntegerField(default=0)),
                ("actor_label", models.CharField(max_length=200)),
                ("subject_kind", models.CharField(blank=True, max_length=40)),
                ("subject_id", models.BigIntegerField(default=0)),
                ("subject_label", models.CharField(blank=True, max_length=200)),
                ("outcome", models.CharField(max_length=10)),
                ("source", models.CharField(blank=True, max_length=45)),
                ("via", models.CharField(blank=True, max_length=80)),
                ("request_id", models.CharField(blank=True, max_length=40)),
                ("data", models.JSONField(default=dict)),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
                (
                    "account",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_events",
                        to="accounts.organization",
                    ),
                ),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="audit.chain"
                    ),
                ),
            ],
            options={
                "ordering": ["chain", "sequence"],
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="audit_event_by_organization"),
                    models.Index(fields=["organization", "workflow", "-id"], name="audit_event_by_workflow"),
                    models.Index(fields=["organization", "actor_kind", "actor_id", "-id"], name="audit_event_by_actor"),
                    models.Index(fields=["organization", "kind", "-id"], name="audit_event_by_kind"),
                    models.Index(fields=["organization", "at"], name="audit_event_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "sequence"), name="audit_event_one_per_place")
                ],
            },
        ),
    ]

"""Tokens for sockets, and the sockets that are open with a key: of one Organization, whoever wants them closed (AZ-3)."""

import django.db.models.deletion
from django.db import migrations, models

from portal.core.database.tenant_triggers import Belonging, hold

SOCKET = Belonging(
    "accounts_streamsocket",
    ("api_key_id", "service_user_id", "close_asked_by_id"),
    """EXISTS (SELECT 1 FROM accounts_apikey JOIN accounts_serviceuser
        ON accounts_serviceuser.id = accounts_apikey.service_user_id
        WHERE accounts_apikey.id = NEW.api_key_id AND accounts_serviceuser.id = NEW.service_user_id
        AND (NEW.close_asked_by_id IS NULL OR EXISTS (SELECT 1 FROM accounts_member
            WHERE id = NEW.close_asked_by_id AND organization_id = accounts_serviceuser.organization_id)))""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_one_organization"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamSocket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("process", models.CharField(max_length=60)),
                ("number", models.PositiveBigIntegerField()),
                ("source", models.CharField(blank=True, max_length=45)),
                ("opened_at", models.DateTimeField()),
                ("last_message_at", models.DateTimeField(blank=True, null=True)),
                ("subscribed", models.JSONField(default=list)),
                ("seen_at", models.DateTimeField(db_index=True)),
                ("close_asked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stream_sockets", to="accounts.apikey"
                    ),
                ),
                (
                    "close_asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "service_user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stream_sockets",
                        to="accounts.serviceuser",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("process", "number"), name="stream_socket_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("close_asked_at", None), ("close_asked_by", None)),
                            models.Q(("close_asked_at__isnull", False), ("close_asked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="stream_socket_close_asked_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StreamToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stream_tokens", to="accounts.apikey"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="stream_token_ends_after_it_began",
                    )
                ],
            },
        ),
        hold(SOCKET),
    ]

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("handle", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("language", models.CharField(default="en", max_length=10)),
                (
                    "tell",
                    models.CharField(
                        choices=[
                            ("all", "Everything: what waits for me, what I asked, and how requests of others ended"),
                            ("needed", "What waits for me, and how what I asked ended"),
                            ("mine", "Only how what I asked ended"),
                        ],
                        default="needed",
                        max_length=10,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="user_email_lower",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=80, unique=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("in_a_row", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "attempts",
                "indexes": [models.Index(fields=["last_at"], name="attempts_by_age")],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_owner", models.BooleanField(default=False)),
                (
                    "identity",
                    models.CharField(
                        choices=[
                            ("unverified", "Not verified"),
                            ("submitted", "Being checked"),
                            ("verified", "Verified"),
                            ("rejected", "Not accepted"),
                        ],
                        default="unverified",
                        max_length=10,
                    ),
                ),
                ("joined_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_until", models.DateTimeField(blank=True, null=True)),
                ("factors_reset_at", models.DateTimeField(blank=True, null=True)),
                ("factors_reset_by_code", models.BooleanField(default=False)),
                ("factors_enrolled_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "suspended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("suspended_until", None), ("suspended_at__isnull", False), _connector="OR"),
                        name="member_suspension_ends_if_begun",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("suspended_until__isnull", False)),
                        fields=("suspended_by",),
                        name="member_one_suspension_each",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("suspended_by", None),
                            models.Q(("suspended_by", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="member_suspended_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("identity__in", ["unverified", "submitted", "verified", "rejected"])),
                        name="member_identity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("factors_enrolled_at", None),
                            ("factors_enrolled_at__gte", models.F("factors_reset_at")),
                            _connector="OR",
                        ),
                        name="member_enrols_after_reset",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public", models.CharField(max_length=56, unique=True)),
                ("sealed_secret", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revealed_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=False)),
                ("version", models.PositiveIntegerField(default=1)),
                ("last_nonce", models.BigIntegerField(default=0)),
                ("floor_nonce", models.BigIntegerField(default=-1)),
                ("recent_nonces", models.JSONField(default=list)),
                ("calls", models.FloatField(default=0)),
                ("calls_at", models.FloatField(default=0)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_ip", models.CharField(blank=True, max_length=45)),
                ("last_used_method", models.CharField(blank=True, default="", max_length=40)),
                ("slot", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("overlap_hours", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("retires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="keys_made", to="accounts.member"
                    ),
                ),
                (
                    "paused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("slot", None), ("slot__in", (1, 2)), _connector="OR"),
                        name="api_key_slot_one_or_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_active", False), ("slot__isnull", False), _connector="OR"),
                        name="api_key_active_in_a_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("revoked_at", None), ("slot", None), _connector="OR"),
                        name="api_key_revoked_has_no_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("retires_at", None),
                            models.Q(("expires_at__isnull", False), ("expires_at__lte", models.F("retires_at"))),
                            _connector="OR",
                        ),
                        name="api_key_retires_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_active", False),
                            models.Q(("revealed_at__isnull", False), ("revoked_at", None)),
                            _connector="OR",
                        ),
                        name="api_key_active_only_once_revealed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_active", False), ("paused_at", None), _connector="OR"),
                        name="api_key_paused_is_not_active",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("paused_at", None), ("paused_by", None)),
                            models.Q(("paused_at__isnull", False), ("paused_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="api_key_paused_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "currency",
                    models.CharField(
                        choices=[
                            ("USD", "US dollar"),
                            ("EUR", "Euro"),
                            ("GBP", "Pound sterling"),
                            ("CHF", "Swiss franc"),
                            ("CAD", "Canadian dollar"),
                            ("AUD", "Australian dollar"),
                            ("JPY", "Yen"),
                        ],
                        default="USD",
                        max_length=8,
                    ),
                ),
                (
                    "second_factor_level",
                    models.CharField(
                        choices=[("passkey", "Passkey only"), ("any", "Authenticator app or passkey")],
                        default="any",
                        max_length=10,
                    ),
                ),
                (
                    "api_tier",
                    models.CharField(
                        choices=[
                            ("starter", "Starter"),
                            ("intermediate", "Intermediate"),
                            ("pro", "Pro"),
                            ("off", "No limit"),
                        ],
                        default="pro",
                        max_length=12,
                    ),
                ),
                ("idle_minutes", models.PositiveSmallIntegerField(default=30)),
                ("absolute_hours", models.PositiveSmallIntegerField(default=12)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("idle_minutes__gte", 5), ("idle_minutes__lte", 120)),
                        name="organization_idle_minutes_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("absolute_hours__gte", 1), ("absolute_hours__lte", 24)),
                        name="organization_absolute_hours_in_range",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="organization_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("second_factor_level__in", ["passkey", "any"])),
                        name="organization_second_factor_level_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__in", ["USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY"])),
                        name="organization_currency_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("api_tier__in", ["starter", "intermediate", "pro", "off"])),
                        name="organization_api_tier_known",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="member",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="members", to="accounts.organization"
            ),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=80)),
                ("rights", models.JSONField(default=list)),
                ("approvals", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations_made",
                        to="accounts.member",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        fields=("organization", "email"),
                        name="invitation_one_unanswered_per_address",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("venue", models.CharField(default="paper", max_length=20)),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="accounts", to="accounts.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="account_name_once_per_organization")
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnershipOffer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("request", models.CharField(max_length=16, unique=True)),
                ("offered_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("declined_at", models.DateTimeField(blank=True, null=True)),
                ("lapsed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ownership_offers",
                        to="accounts.organization",
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ownership_offers",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted_at", None), ("declined_at", None)),
                            models.Q(("accepted_at", None), ("lapsed_at", None)),
                            models.Q(("declined_at", None), ("lapsed_at", None)),
                            _connector="OR",
                        ),
                        name="ownership_offer_ends_one_way",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("declined_at", None), ("lapsed_at", None)),
                        fields=("organization",),
                        name="ownership_offer_one_unanswered",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Passkey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, help_text="The most recent date and time this device was used.", null=True
                    ),
                ),
                (
                    "credential_type",
                    models.CharField(
                        choices=[("public-key", "Public Key")],
                        default="public-key",
                        editable=False,
                        max_length=32,
                        verbose_name="credential type",
                    ),
                ),
                ("credential_id", models.BinaryField(max_length=1023, verbose_name="credential id data")),
                ("public_key", models.BinaryField(max_length=1023, verbose_name="COSE public key data")),
                ("transports", models.JSONField(default=list, editable=False, verbose_name="transports")),
                ("sign_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="sign count")),
                ("backup_eligible", models.BooleanField(default=False, editable=False, verbose_name="backup eligible")),
                ("backup_state", models.BooleanField(default=False, editable=False, verbose_name="backup state")),
                ("aaguid", models.CharField(editable=False, max_length=36, verbose_name="AAGUID")),
                (
                    "credential_id_sha256",
                    models.CharField(editable=False, max_length=64, unique=True, verbose_name="hashed credential id"),
                ),
                (
                    "discoverable",
                    models.BooleanField(default=None, editable=False, null=True, verbose_name="discoverable"),
                ),
                ("last_challenge_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("places", models.ManyToManyField(related_name="passkeys", to="accounts.member")),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "passkey",
                "verbose_name_plural": "WebAuthn credentials",
                "abstract": False,
                "indexes": [models.Index(fields=["credential_id_sha256"], name="passkey_sha256_idx")],
            },
        ),
        migrations.CreateModel(
            name="PasskeyAttestation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fmt",
                    models.CharField(
                        choices=[
                            ("packed", "packed"),
                            ("tpm", "tpm"),
                            ("android-key", "android-key"),
                            ("android-safetynet", "android-safetynet"),
                            ("fido-u2f", "fido-u2f"),
                            ("none", "none"),
                        ],
                        editable=False,
                        max_length=255,
                        verbose_name="format",
                    ),
                ),
                ("data", models.BinaryField(verbose_name="data")),
                ("client_data_json", models.BinaryField(verbose_name="client data JSON")),
                (
                    "credential",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attestation", to="accounts.passkey"
                    ),
                ),
            ],
            options={
                "verbose_name": "WebAuthn attestation",
                "verbose_name_plural": "WebAuthn attestations",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Recovery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("announced_at", models.DateTimeField()),
                ("opens_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "cancelled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "canceller",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recoveries", to="accounts.member"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cancelled_at", None), ("opened_at", None)),
                        fields=("member",),
                        name="recovery_one_running_per_member",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("canceller__isnull", False)),
                        fields=("member", "canceller"),
                        name="recovery_cancelled_once_by_each",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("places", models.ManyToManyField(related_name="recovery_codes", to="accounts.member")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "digest"), name="recovery_code_once_per_person")
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("method", models.CharField(max_length=40)),
                ("answer", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=40)),
                ("facts", models.JSONField(default=dict)),
                ("source", models.CharField(blank=True, max_length=45)),
                ("times", models.PositiveIntegerField(default=1)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refused_calls", to="accounts.apikey"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["api_key", "-id"], name="refused_call_newest_of_key")],
            },
        ),
        migrations.CreateModel(
            name="SecurityNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("data", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="security_notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("seen_at", None)), fields=["user", "-id"], name="security_notice_unseen"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceUser",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=32,
                        validators=[django.core.validators.RegexValidator("[A-Za-z0-9][A-Za-z0-9-]{0,31}\\Z")],
                    ),
                ),
                ("purpose", models.CharField(blank=True, default="", max_length=200)),
                ("permissions", models.JSONField(default=list)),
                ("query_start", models.DateTimeField(blank=True, null=True)),
                ("query_end", models.DateTimeField(blank=True, null=True)),
                ("websocket", models.BooleanField(default=False)),
                ("nonce_window", models.BigIntegerField(default=0)),
                ("ip_allow_list", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="service_users", to="accounts.account"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_users",
                        to="accounts.organization",
                    ),
                ),
                (
                    "suspended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"),
                        django.db.models.functions.text.Lower("name"),
                        name="service_user_name_once_per_organization",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("nonce_window__gte", 0)), name="service_user_nonce_window_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("query_start", None),
                            ("query_end", None),
                            ("query_start__lt", models.F("query_end")),
                            _connector="OR",
                        ),
                        name="service_user_query_dates_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("suspended_by", None), ("suspended_at__isnull", False), _connector="OR"),
                        name="service_user_suspended_if_by_somebody",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="service_user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="accounts.serviceuser"
            ),
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("handle", models.UUIDField(null=True, unique=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("source", models.CharField(blank=True, max_length=45)),
                ("agent", models.CharField(blank=True, max_length=200)),
                ("factor", models.CharField(blank=True, max_length=20)),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="accounts.member",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
                "indexes": [models.Index(fields=["user", "-seen_at"], name="session_by_person")],
            },
        ),
        migrations.CreateModel(
            name="KeyNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("about", models.DateTimeField()),
                ("at", models.DateTimeField()),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="accounts.apikey"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("api_key", "kind", "about"), name="key_notice_once")],
            },
        ),
        migrations.CreateModel(
            name="KeyUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(db_index=True)),
                ("kind", models.CharField(max_length=120)),
                ("refused", models.BooleanField()),
                ("calls", models.PositiveBigIntegerField()),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="use", to="accounts.apikey"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("api_key", "day", "kind"), name="key_use_once_per_day_and_kind")
                ],
            },
        ),
        migrations.CreateModel(
            name="KnownSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("network", models.CharField(max_length=49)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_sources",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "network"), name="known_source_once_per_person")
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("handle", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("provider", models.CharField(max_length=40)),
                ("sealed_document", models.TextField()),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("accepted", models.BooleanField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_checks",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at", None)),
                        fields=("member",),
                        name="identity_check_one_undecided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted", None), ("decided_at", None)),
                            models.Q(("accepted__isnull", False), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="identity_check_decided_or_not",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Custodian",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("reason", models.CharField(max_length=40)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="custodians", to="accounts.apikey"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="custodies", to="accounts.member"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("api_key", "member"), name="custodian_once_per_key")],
            },
        ),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                ("handle", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("sealed_seed", models.TextField()),
                ("last_step", models.BigIntegerField(default=-1)),
                (
                    "earlier_steps",
                    models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
                ),
                ("created_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("places", models.ManyToManyField(related_name="authenticators", to="accounts.member")),
            ],
            options={
                "verbose_name": "authenticator app",
                "indexes": [models.Index(fields=["user", "confirmed"], name="authenticator_by_user")],
            },
        ),
        migrations.CreateModel(
            name="AccessLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[("reset", "Reset the password"), ("enrol", "Enrol a second factor")], max_length=10
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["reset", "enrol"])), name="access_link_purpose_known"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(fields=("organization", "user"), name="member_once_per_organization"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_owner", True)), fields=("organization",), name="owner_one_per_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.UniqueConstraint(fields=("service_user", "slot"), name="api_key_two_at_most"),
        ),
    ]

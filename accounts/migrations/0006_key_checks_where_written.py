"""A key's row is updated by every call of its bot, which writes nothing that its ten CHECKs speak of."""

from django.db import migrations

from portal.core.database.checks_where_written import Checks, where_written

CHECKS = Checks(
    "accounts_apikey",
    (
        "expires_at", "revealed_at", "revoked_at", "paused_at", "paused_by_id", "is_active", "version", "slot",
        "overlap_hours", "retires_at",
    ),
    {
        "accounts_apikey_overlap_hours_check": "overlap_hours >= 0",
        "accounts_apikey_slot_check": "slot >= 0",
        "accounts_apikey_version_check": "version >= 0",
        "api_key_active_in_a_slot": "NOT is_active OR slot IS NOT NULL",
        "api_key_active_only_once_revealed": "NOT is_active OR (revealed_at IS NOT NULL AND revoked_at IS NULL)",
        "api_key_paused_by_somebody":
            "(paused_at IS NULL AND paused_by_id IS NULL) OR (paused_at IS NOT NULL AND paused_by_id IS NOT NULL)",
        "api_key_paused_is_not_active": "NOT is_active OR paused_at IS NULL",
        "api_key_retires_in_time": "retires_at IS NULL OR (expires_at IS NOT NULL AND expires_at <= retires_at)",
        "api_key_revoked_has_no_slot": "revoked_at IS NULL OR slot IS NULL",
        "api_key_slot_one_or_two": "slot IS NULL OR slot IN (1, 2)",
    },
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_key_wall_after_update")]

    operations = [where_written(CHECKS)]

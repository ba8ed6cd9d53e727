"""What must hold of a key's row, whoever writes it: said by the database under the rule's name, on both alike."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import ApiKey

pytestmark = pytest.mark.django_db
NOW = timezone.now()
# What breaks each rule, and no other one.
BROKEN: dict[str, dict[str, Any]] = {
    "accounts_apikey_overlap_hours_check": {"overlap_hours": -1},
    "accounts_apikey_version_check": {"version": -1},
    "api_key_slot_one_or_two": {"slot": 3},
    "api_key_active_in_a_slot": {"slot": None},
    "api_key_revoked_has_no_slot": {"revoked_at": NOW, "is_active": False},
    "api_key_retires_in_time": {"retires_at": NOW, "expires_at": NOW + timedelta(seconds=1)},
    "api_key_active_only_once_revealed": {"revealed_at": None},
    "api_key_paused_is_not_active": {"paused_at": NOW, "paused_by": F("made_by")},
    "api_key_paused_by_somebody": {"paused_at": NOW, "is_active": False},
}


@pytest.mark.parametrize("rule", BROKEN)
def test_no_update_breaks_a_rule(treasury_bot, rule):
    key = ApiKey.objects.filter(pk=treasury_bot.key.pk)
    with pytest.raises(IntegrityError) as said, transaction.atomic():
        key.update(**BROKEN[rule])
    # SQLite says of a column's own rule what it is, not what it is called.
    assert rule in str(said.value) or (connection.vendor == "sqlite" and rule.startswith("accounts_"))


@pytest.mark.parametrize("rule", BROKEN)
def test_no_new_row_breaks_a_rule(treasury_bot, rule):
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(slot=2)
    key = ApiKey.objects.get(pk=treasury_bot.key.pk)
    key.pk, key.public, key.slot = None, "N" * 56, 1
    for name, value in BROKEN[rule].items():
        setattr(key, name, key.made_by if isinstance(value, F) else value)
    with pytest.raises(IntegrityError) as said, transaction.atomic():
        key.save(force_insert=True)
    assert rule in str(said.value) or (connection.vendor == "sqlite" and rule.startswith("accounts_"))


def test_every_rule_of_the_model_is_looked_at():
    named = {constraint.name for constraint in ApiKey._meta.constraints} - {"api_key_two_at_most"}
    assert named <= BROKEN.keys()


def test_what_breaks_no_rule_is_written(treasury_bot):
    key = ApiKey.objects.filter(pk=treasury_bot.key.pk)
    ends = {"retires_at": NOW, "expires_at": NOW, "overlap_hours": 0, "slot": 2}
    assert key.update(**ends) == 1
    assert key.update(is_active=False, paused_at=NOW, paused_by=F("made_by")) == 1
    assert key.update(paused_at=None, paused_by=None, revoked_at=NOW, slot=None) == 1
    assert key.update(calls=7.0, last_nonce=7) == 1


@pytest.mark.postgresql
def test_what_a_call_writes_is_asked_by_no_rule():
    """PostgreSQL asks each CHECK at every update of the row, whatever that writes; a trigger names its columns."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps its CHECKs")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'accounts_apikey'::regclass"
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT tgname, tgattr::text FROM pg_trigger "
            "WHERE tgrelid = 'accounts_apikey'::regclass AND NOT tgisinternal AND tgtype & 16 = 16"
        )
        assert all(columns for _, columns in cursor.fetchall())

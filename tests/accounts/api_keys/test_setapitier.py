"""The operator's command for the tier of an Organization's bots."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.models import ApiKey
from portal.audit.models import AuditEvent


def test_a_tier_is_set_recorded_and_counts_from_the_next_call(world, capsys):
    organization = world.account.organization
    versions = dict(ApiKey.objects.values_list("pk", "version"))

    call_command("setapitier", organization.name.upper(), "starter")

    organization.refresh_from_db()
    assert organization.api_tier == "starter"
    assert "have the tier Starter" in capsys.readouterr().out
    event = AuditEvent.objects.get(kind="organization.api_tier_changed")
    assert (event.actor_kind, event.data["before"], event.data["after"]) == ("operator", "Pro", "Starter")
    touched = {pk for pk, version in ApiKey.objects.values_list("pk", "version") if version != versions[pk]}
    own = ApiKey.objects.filter(service_user__organization=organization)
    assert touched == set(own.values_list("pk", flat=True))


def test_the_same_tier_again_changes_nothing(world):
    call_command("setapitier", world.account.organization.name, "pro")
    assert not AuditEvent.objects.filter(kind="organization.api_tier_changed").exists()


def test_neither_an_unknown_organization_nor_an_unknown_tier(world):
    with pytest.raises(CommandError):
        call_command("setapitier", "Nobody", "pro")
    with pytest.raises(CommandError):
        call_command("setapitier", world.account.organization.name, "fastest")


def test_the_database_knows_the_tiers(world):
    organization = world.account.organization
    with pytest.raises(IntegrityError), transaction.atomic():
        type(organization).objects.filter(pk=organization.pk).update(api_tier="fastest")

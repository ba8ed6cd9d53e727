"""Whoever asked for a key hears that its secret waits, until it is revealed or dead (DESIGN K2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import ApiKey
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies.changes import decide, propose
from policies.notifications.mail import _words

pytestmark = pytest.mark.django_db
WAITS = "A secret waits for you: the one of payroll-bot."


@pytest.fixture
def asked(world, ana):
    params = CreateServiceUser("payroll-bot", world.account.pk, ("query-funds",), None, None, None, False, 0, ())
    return propose(create_service_user, actor=ana, params=params)


def inbox(client):
    return client.get(reverse("policies:inbox")).content.decode()


def test_the_inbox_and_the_mail_say_that_a_secret_waits(client, asked, ana, ben, fresh, sign_in, time_machine):
    """fault pages, step 9: nothing told Ana, and after 72 hours it was dead."""
    sign_in(client, ana)
    assert WAITS not in inbox(client)
    change = decide(asked.reference, member=ben, approved=True, digest=asked.digest, proof=fresh())
    assert WAITS in inbox(client)
    words = _words(change, ana, {})
    assert words["onward"] == "Reveal the secret of payroll-bot"
    assert str(words["onward_link"]).endswith(f"/service-users/payroll-bot/?of={ana.organization_id}")
    assert "onward" not in _words(change, ben, {})
    sign_in(client := type(client)(), ben)
    assert WAITS not in inbox(client)


def test_it_says_so_no_more_once_revealed_or_dead(client, asked, ana, ben, fresh, sign_in):
    """fault pages, step 9"""
    decide(asked.reference, member=ben, approved=True, digest=asked.digest, proof=fresh())
    sign_in(client, ana)
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    over: dict[str, dict[str, Any]] = {
        "revealed": {"revealed_at": key.created_at},
        "dead": {"created_at": key.created_at - timedelta(hours=73)},
        "revoked": {"revoked_at": key.created_at, "slot": None, "is_active": False},
    }
    for values in over.values():
        ApiKey.objects.filter(pk=key.pk).update(**values)
        assert WAITS not in inbox(client)
        ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revealed_at=None, created_at=key.created_at)

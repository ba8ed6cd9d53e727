"""A yes that was given with a factor that was taken away later (DESIGN M4, R4)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Member
from policies.changes import decide
from policies.models import State
from portal.treasury.withdrawals import request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(world, treasury_bot):
    """A withdrawal that takes two approvals."""
    return request_withdrawal(
        actor=treasury_bot.service_user,
        api_key=treasury_bot.key,
        account=world.account,
        key="btc-cold",
        asset="XBT",
        amount=Decimal("0.5"),
    )


def yes(change, member, fresh):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change))


def test_a_yes_with_a_stolen_factor_does_not_come_back_after_the_rest(asked, fresh, ben, cleo, fay):
    """The attack: who stole Ben's telephone says yes with it. His factors are reset, and he rests; the day after, the
    thief's yes would count again, and one person's approval would send what takes two.
    """
    yes(asked, ben, fresh)
    now = timezone.now()
    Member.objects.filter(pk=ben.pk).update(factors_reset_at=now, factors_enrolled_at=now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "AFTER_RESET", timedelta(0))
        assert not Member.objects.get(pk=ben.pk).is_resting
        assert yes(asked, cleo, fresh).state == State.PENDING
        assert yes(asked, fay, fresh).state == State.EXECUTED


def test_a_yes_after_the_rest_counts(asked, fresh, ben, cleo):
    long_ago = timezone.now() - settings.AFTER_RESET - timedelta(minutes=1)
    Member.objects.filter(pk=ben.pk).update(factors_reset_at=long_ago, factors_enrolled_at=long_ago)
    yes(asked, ben, fresh)
    assert yes(asked, cleo, fresh).state == State.EXECUTED

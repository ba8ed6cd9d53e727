"""Withdrawals of the past, as many as a test wants, and what the treasury says of one that is asked now."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from policies.measures import measures
from policies.models import ChangeRequest, State
from policies.rules.language import SERVICE_USER, Situation, SumOf, initiator_id
from portal.treasury.destinations.identity import identity
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw
from tests.factories.world import BTC_COLD

COLD = identity("Bitcoin", BTC_COLD, "")


@pytest.fixture
def left(world, treasury_bot) -> Callable[..., Withdrawal]:
    """A withdrawal of the bot that was worth so much, and left, is held or was given back so many hours ago."""
    numbers = count(5000)

    def withdrawn(value="10.00", *, hours=1.0, state=State.EXECUTED, bot=treasury_bot, **given) -> Withdrawal:
        now, number = timezone.now(), next(numbers)
        at, account = now - timedelta(hours=hours), bot.service_user.account
        is_open = state in (State.PENDING, State.APPROVED)
        change = ChangeRequest.objects.create(
            organization=account.organization, number=number, reference=f"left-{number}",
            workflow="initiate_withdrawal", operation="treasury.withdraw", account=account, title="-",
            service_user=bot.service_user, api_key=bot.key, initiator_label="-", params={},
            digest="-", approvals_required=2, state=state, created_at=at, expires_at=at + timedelta(hours=72),
            ended_at=None if is_open else at,
        )  # fmt: skip
        fields = {
            "asset": "XXBT",
            "amount_units": 10_000_000,
            "value_hundredths": None if value is None else int(Decimal(value) * 100),
            "destination": COLD,
            "initiator": initiator_id(SERVICE_USER, bot.service_user.pk),
            "sent_at": at if state == State.EXECUTED else None,
            "released_at": None if is_open or state == State.EXECUTED else at,
            **given,
        }
        address = Address.objects.filter(account=account).first()
        assert address is not None
        return Withdrawal.objects.create(
            organization=account.organization, account=account, change=change, reference=f"left-{number}",
            address=address, fee_units=1, created_at=at, **fields,
        )  # fmt: skip

    return withdrawn


@pytest.fixture
def asked_now(world, treasury_bot) -> Callable[..., Situation]:
    """How rules see 0.001 BTC (64.10 dollars where prices stand still) that the bot asks to send to btc-cold now."""

    def situation(*sums: SumOf, amount="0.001", bot=treasury_bot, change=None) -> Situation:
        address = Address.objects.get(account=world.account, key="btc-cold")
        params = Withdraw.to(address, amount=Decimal(amount), fee=Decimal("0.0001"))
        asked = change or ChangeRequest(
            organization=world.organization, account=world.account, service_user=bot.service_user, api_key=bot.key
        )
        return measures().situation(asked, params, sums)

    return situation

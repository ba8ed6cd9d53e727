"""Withdrawals of an Account, each at one step of its way."""

from typing import Any

from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.models import Credential, Purpose, Step, Withdrawal


def row_of(account: Account, **given: Any) -> Withdrawal:
    now = timezone.now()
    values = {
        "account": account,
        "reference": "W-1",
        "request": "",
        "asset": "XXBT",
        "decimals": 8,
        "amount_units": 125_000_000,
        "max_fee_units": 5_000,
        "fee_units": 5_000,
        "key": "btc-cold",
        "address": "bc1qcold",
        "method": "Bitcoin",
        "network": "Bitcoin",
        "held_at": now,
        "intended_at": now,
        "nonce": 1,
        "sent_at": now,
        "attempts": 1,
        "credential": Credential.objects.get(account=account, purpose=Purpose.WITHDRAW),
    }
    return Withdrawal.objects.create(**{**values, **given})


def accepted(account: Account) -> Withdrawal:
    return row_of(account, step=Step.ACCEPTED, refid="R-1", accepted_at=timezone.now(), look_at=timezone.now())


def lost(account: Account, **given: Any) -> Withdrawal:
    return row_of(account, step=Step.LOST, lost_at=timezone.now(), look_at=timezone.now(), **given)

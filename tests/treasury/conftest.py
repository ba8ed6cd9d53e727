"""Asking and deciding, in one line each."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from policies.changes import decide
from policies.models import ChangeRequest
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.paper.venue import PaperVenue

# What it asserts is told with its values, as in a file of tests.
pytest.register_assert_rewrite("tests.treasury.life")
VENUE = PaperVenue()
# What the Account has free of bitcoin to begin with, and what `ask` asks for, in the ledger's units.
HAD = 124_000_000_000
ASKED = 12_500_000_000


@pytest.fixture
def ask(world, treasury_bot) -> Callable[..., ChangeRequest]:
    """The bot asks to send 1.25 BTC to btc-cold, or whatever else is said."""

    def asked(amount="1.25", **arguments) -> ChangeRequest:
        values = {
            "actor": treasury_bot.service_user,
            "api_key": treasury_bot.key,
            "account": world.account,
            "key": "btc-cold",
            "asset": "XBT",
            "amount": Decimal(amount),
        }
        return request_withdrawal(**{**values, **arguments})

    return asked


@pytest.fixture
def approve(fresh) -> Callable[..., ChangeRequest]:
    """The members approve, one after the other."""

    def approved(change: ChangeRequest, *members) -> ChangeRequest:
        for member in members:
            change = decide(change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change))
        return change

    return approved


@pytest.fixture
def standing(world) -> Callable[..., tuple[int, int]]:
    """What the Account has free of one asset, and what withdrawals hold of it."""

    def balance(asset="XXBT") -> tuple[int, int]:
        rows = {row.asset.id: row for row in VENUE.balances(world.account.pk)}
        return rows[asset].units, rows[asset].held_by_withdrawals_units

    return balance


def stage_of(change):
    """Where the venue says that a request's withdrawal stands."""
    return VENUE.withdrawal(change.withdrawal.reference).stage

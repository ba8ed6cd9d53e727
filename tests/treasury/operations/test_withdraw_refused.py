"""What cannot be withdrawn: refused with an error of its own, and nothing moves."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from policies.changes import propose
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, DomainError, Invalid, NotFound, Refused
from portal.treasury.errors import AddressMismatch, FeeTooHigh, UnknownAddress
from portal.treasury.idempotency import SentForm
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw, withdraw
from portal.venues.errors import BelowMinimum, FeeRose, InsufficientFunds, UnknownAsset
from tests.factories.world import BTC_COLD
from tests.treasury.conftest import HAD


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"amount": Decimal("12.40000001")}, InsufficientFunds),
        ({"amount": Decimal(900000000)}, InsufficientFunds),
        ({"amount": Decimal("0.00049999")}, BelowMinimum),
        ({"amount": Decimal("1.000000001")}, Invalid),  # fault pages-B16: the network has eight
        ({"amount": Decimal(99999999999999999999)}, Invalid),
        ({"amount": Decimal("1E+30")}, Invalid),
        ({"amount": Decimal("NaN")}, Invalid),
        ({"amount": Decimal("sNaN")}, Invalid),
        ({"amount": Decimal("Infinity")}, Invalid),
        ({"amount": Decimal("-Infinity")}, Invalid),
        ({"amount": Decimal(-1)}, Invalid),
        ({"amount": Decimal(0)}, Invalid),
        ({"amount": Decimal("-0")}, Invalid),
        ({"asset": "DOGE"}, UnknownAsset),
        ({"asset": "XETH"}, UnknownAddress),
        ({"key": "nowhere"}, UnknownAddress),
        ({"key": "eve-cold"}, UnknownAddress),
        ({"key": ""}, UnknownAddress),
        ({"address": "bc1qother"}, AddressMismatch),
        ({"address": ""}, AddressMismatch),
        ({"max_fee": Decimal("0.00004999")}, FeeTooHigh),
        ({"note": "look \u202e here"}, Invalid),
    ],
)
def test_what_cannot_be_withdrawn_moves_nothing(arguments, error, ask, standing):
    """IN-2: the list, as the domain sees it; each its own error."""
    before = AuditEvent.objects.count()

    with pytest.raises(error):
        ask(**arguments)
    assert standing() == (HAD, 0)
    assert not Withdrawal.objects.exists()
    assert AuditEvent.objects.count() == before


def test_who_may_not_ask_holds_nothing(ask, audit, eve, trading_bot, standing):
    for actor, key in ((audit, None), (trading_bot.service_user, trading_bot.key)):
        with pytest.raises(Refused):
            ask(actor=actor, api_key=key)
    with pytest.raises(NotFound):
        ask(actor=eve, api_key=None)
    assert standing() == (HAD, 0)


def forged(world, **changes):
    address = Address.objects.get(key="btc-cold")
    values = {
        "account_id": world.account.pk,
        "address_id": address.pk,
        "key": "btc-cold",
        "asset": "XXBT",
        "amount": Decimal("1.25"),
        "fee": Decimal("0.00005"),
        "address": BTC_COLD,
        "method": "Bitcoin",
        "network": "Bitcoin",
        "memo": "",
    }
    return Withdraw(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"address": "bc1qattacker"}, AddressMismatch),
        ({"key": "eth-cold"}, AddressMismatch),
        ({"memo": "9"}, AddressMismatch),
        ({"asset": "XETH"}, AddressMismatch),
        ({"fee": Decimal(0)}, FeeRose),
        ({"address_id": 0}, UnknownAddress),
    ],
)
def test_forged_params_are_refused_when_opened(changes, error, world, ana, standing):
    with pytest.raises(error):
        propose(withdraw, actor=ana, params=forged(world, **changes))
    assert standing() == (HAD, 0)


def test_an_address_next_door_cannot_be_named_by_its_id(world, ana):
    """AZ-3: post another organization's pk."""
    theirs = Address.objects.get(key="eve-cold")

    with pytest.raises(UnknownAddress):
        propose(withdraw, actor=ana, params=forged(world, address_id=theirs.pk, key="eve-cold"))


def test_the_database_keeps_rows_of_one_organization_together(ask, world):
    """AZ-3: the same, around the code."""
    ask()
    theirs = Address.objects.get(key="eve-cold")
    attempts = (
        lambda: Address.objects.filter(key="btc-cold").update(organization=world.elsewhere),
        lambda: Address.objects.filter(key="btc-cold").update(account=theirs.account),
        lambda: Withdrawal.objects.update(address=theirs),
        lambda: Withdrawal.objects.update(account=theirs.account, organization=world.elsewhere, address=theirs),
    )
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()


def test_a_form_that_showed_something_else_asks_for_nothing(ask, ana, standing):
    """CR-2, CR-6: also where the address or the fee changes after the page has looked, and before it is asked."""
    with pytest.raises(Conflict, match="changed since you looked"):
        ask(actor=ana, api_key=None, form=SentForm("A" * 16, "0" * 64, None))
    assert standing() == (HAD, 0)
    assert not Withdrawal.objects.exists()


def test_every_refusal_is_fit_to_show(ask):
    with pytest.raises(DomainError) as caught:
        ask("100")
    assert caught.value.message == "The Account has 12.4 BTC free."
    assert caught.value.field == "amount"

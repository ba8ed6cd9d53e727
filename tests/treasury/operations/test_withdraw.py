from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from policies.changes import cancel, decide, propose
from policies.models import ChangeRequest, Policy, State
from portal.audit.models import AuditEvent
from portal.core.errors import DomainError, Insufficient, Invalid, NotFound, Refused
from portal.treasury import expired_holds, withdrawals
from portal.treasury.errors import AddressMismatch, FeeTooHigh, UnknownAddress
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw, withdraw
from portal.venues.errors import BelowMinimum, FeeRose, InsufficientFunds, UnknownAsset, UnknownReference
from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Entry
from portal.venues.types import LedgerQuery, Stage
from tests.factories.world import BTC_COLD
from tests.treasury.conftest import VENUE

HAD = 124_000_000_000
ASKED = 12_500_000_000


def stage_of(change):
    return VENUE.withdrawal(change.withdrawal.reference).stage


def kinds(change):
    events = AuditEvent.objects.filter(kind__startswith="withdrawal.", data__change=change.reference)
    return list(events.order_by("sequence").values_list("kind", flat=True))


def test_a_bots_withdrawal_waits_with_its_amount_on_hold(ask, standing):
    """AP-11: withdraw by API: waiting request, no posting."""
    change = ask()

    assert (change.state, change.approvals_required) == (State.PENDING, 2)
    assert (change.title, change.amount, change.asset) == ("Withdraw to btc-cold", "1.25", "BTC")
    assert standing() == (HAD - ASKED, ASKED)
    assert stage_of(change) == Stage.HELD
    assert not Entry.objects.filter(kind="withdrawal").exists()
    assert kinds(change) == ["withdrawal.held"]


def test_a_reference_has_the_form_of_the_protocol_and_is_not_the_requests(ask):
    change = ask()

    assert [len(part) for part in change.withdrawal.reference.split("-")] == [7, 6, 6]
    assert change.withdrawal.reference != change.reference


def test_the_last_approval_sends_it_once_and_it_settles(ask, approve, ben, cleo, standing, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    change = approve(ask(), ben)
    assert stage_of(change) == Stage.HELD

    change = approve(change, cleo)

    assert change.state == State.EXECUTED
    assert standing() == (HAD - ASKED, 0)
    assert stage_of(change) == Stage.INITIAL
    (row,) = VENUE.ledger(change.account_id, LedgerQuery(kind="withdrawal")).rows
    assert row.reference == change.withdrawal.reference
    assert row.balance_units == HAD - ASKED
    time_machine.shift(10)
    assert stage_of(change) == Stage.SUCCESS
    assert kinds(change) == ["withdrawal.held", "withdrawal.sent"]
    assert list(reconciliation.differences()) == []


def test_without_a_policy_a_bots_withdrawal_goes_at_once(ask, standing):
    """DESIGN P2, last row."""
    Policy.objects.filter(workflow="initiate_withdrawal").delete()

    change = ask()

    assert change.state == State.EXECUTED
    assert standing() == (HAD - ASKED, 0)
    assert kinds(change) == ["withdrawal.held", "withdrawal.sent"]


def test_a_rejection_gives_the_amount_back(ask, ben, fresh, standing):
    change = ask()

    decide(
        change.reference, member=ben, approved=False, digest=change.digest, proof=fresh(change), reason="Not expected"
    )

    assert standing() == (HAD, 0)
    assert stage_of(change) == Stage.CANCELED
    assert kinds(change) == ["withdrawal.held", "withdrawal.released"]


def test_an_expiry_gives_the_amount_back_although_no_job_ran(ask, standing, world, time_machine):
    """CR-12, DESIGN R5: whoever looks at the withdrawals finds it expired."""
    time_machine.move_to(timezone.now(), tick=False)
    change = ask()
    time_machine.shift(timedelta(hours=72))

    for _ in range(2):
        expired_holds.release_due(world.account.pk)
        expired_holds.forget()

    change.refresh_from_db()
    assert change.state == State.EXPIRED
    assert standing() == (HAD, 0)


def test_an_expired_hold_does_not_stand_in_the_way_of_the_next(ask, standing, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    ask("12")
    time_machine.shift(timedelta(hours=73))

    ask("12")

    assert standing() == (4_000_000_000, 120_000_000_000)


@pytest.mark.parametrize("edit", [{"address": "bc1qattacker"}, {"memo": "9"}])
def test_the_address_that_was_approved_is_the_one_that_is_sent_to(edit, ask, approve, ben, cleo):
    """CR-2: edit between approval and run."""
    change = approve(ask(), ben)
    Address.objects.filter(key="btc-cold").update(**edit)

    change = approve(change, cleo)

    row = VENUE.withdrawal(change.withdrawal.reference)
    assert change.state == State.EXECUTED
    assert (row.destination.address, row.destination.memo) == (BTC_COLD, "")


def test_altered_params_are_never_sent(ask, ben, fresh, standing):
    """CR-1: UPDATE the payload row directly: run refuses, AuditEvent."""
    change = ask()
    ChangeRequest.objects.filter(pk=change.pk).update(params={**change.params, "address": "bc1qattacker"})

    with pytest.raises(Refused):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert standing() == (HAD - ASKED, ASKED)
    assert AuditEvent.objects.filter(kind="change.refused").exists()


def test_what_the_venue_holds_must_be_what_was_approved(ask, approve, ben, cleo, standing):
    change = approve(ask(), ben)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE paper_withdrawal SET address = 'bc1qattacker'")

    change = approve(change, cleo)

    assert (change.state, change.reason) == (State.FAILED, "What is held is not what was asked.")
    assert standing() == (HAD, 0)
    assert kinds(change) == ["withdrawal.held", "withdrawal.released"]


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


def test_a_fee_that_is_allowed_and_an_address_that_is_right_pass(ask):
    change = ask(max_fee=Decimal("0.00005"), address=BTC_COLD, key="BTC-Cold")

    assert change.params["key"] == "btc-cold"


def test_a_member_with_initiate_may_ask_as_well(ask, ana, standing):
    change = ask(actor=ana, api_key=None)

    assert (change.state, change.member_id) == (State.PENDING, ana.pk)
    assert standing() == (HAD - ASKED, ASKED)


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


class TestTakingBack:
    def test_what_waits_is_cancelled_and_given_back(self, ask, treasury_bot, world, standing):
        change = ask()

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)
        assert stage_of(change) == Stage.CANCELED
        change.refresh_from_db()
        assert (change.state, change.ended_by) == (State.CANCELLED, "treasury-bot")

    def test_a_second_cancel_gives_the_first_answer(self, ask, treasury_bot, world, standing):
        change = ask()
        take_back(change, treasury_bot, world)

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)

    def test_what_was_sent_is_not_cancelled_and_says_so(self, ask, approve, ben, cleo, treasury_bot, world):
        change = approve(ask(), ben, cleo)

        assert take_back(change, treasury_bot, world) is False
        row = VENUE.withdrawal(change.withdrawal.reference)
        assert row.cancel_denied
        assert row.stage != Stage.CANCELED

    def test_what_has_expired_is_given_back_by_the_cancel(self, ask, treasury_bot, world, standing, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        time_machine.shift(timedelta(hours=72))

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)

    def test_references_of_others_are_unknown(self, ask, world, trading_bot, eve, treasury_bot):
        change = ask()
        theirs = world.bot("eve-bot")
        for actor, account_id, reference in (
            (treasury_bot.service_user, world.account.pk, "AAAAAAA-BBBBBB-CCCCCC"),
            (treasury_bot.service_user, theirs.service_user.account_id, change.withdrawal.reference),
            (trading_bot.service_user, world.account.pk, change.withdrawal.reference),
            (theirs.service_user, world.account.pk, change.withdrawal.reference),
            (eve, world.account.pk, change.withdrawal.reference),
        ):
            with pytest.raises(UnknownReference):
                withdrawals.cancel_withdrawal(actor=actor, account_id=account_id, reference=reference)
        change.refresh_from_db()
        assert change.state == State.PENDING

    def test_a_custodian_of_the_key_may_cancel_and_other_members_may_not(self, ask, owner, ben, standing):
        change = ask()
        with pytest.raises(Refused):
            cancel(change.reference, actor=ben)

        cancel(change.reference, actor=owner)

        assert standing() == (HAD, 0)


def take_back(change, bot, world):
    return withdrawals.cancel_withdrawal(
        actor=bot.service_user, account_id=world.account.pk, reference=change.withdrawal.reference
    )


class TestQuoting:
    def test_a_quote_says_what_arrives_and_how_much_could(self, ask, world):
        ask("2.4")

        found = withdrawals.quote(account_id=world.account.pk, key="btc-cold", asset="BTC", amount=Decimal("1.25"))

        assert found.method == "Bitcoin"
        assert (found.amount_units, found.fee_units) == (12_499_500_000, 500_000)
        assert found.limit_units == 100_000_000_000 - 500_000

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"key": "eve-cold"}, UnknownAddress),
            ({"asset": "ETH"}, UnknownAddress),
            ({"asset": "DOGE"}, UnknownAsset),
            ({"amount": Decimal("0.0001")}, Insufficient),
            ({"amount": Decimal("NaN")}, Invalid),
        ],
    )
    def test_a_quote_of_what_cannot_be_is_refused(self, arguments, error, world):
        values = {"account_id": world.account.pk, "key": "btc-cold", "asset": "BTC", "amount": Decimal(1)}

        with pytest.raises(error):
            withdrawals.quote(**{**values, **arguments})

    def test_addresses_are_found_by_asset_method_and_name(self, world):
        def found(**query):
            return [row.key for row in withdrawals.addresses(world.account.pk, **query)]

        assert found() == ["btc-cold", "eth-cold", "usd-bank"]
        assert found(asset="XXBT") == ["btc-cold"]
        assert found(method="ether (hex)") == ["eth-cold"]
        assert found(key="USD-bank") == ["usd-bank"]
        assert found(key="eve-cold") == []


def test_every_refusal_is_fit_to_show(ask):
    with pytest.raises(DomainError) as caught:
        ask("100")
    assert caught.value.message == "The Account has 12.4 BTC free."
    assert caught.value.field == "amount"

"""What is free at the exchange is less what waits here: the exchange does not know of it (DESIGN V2, K7)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.core.money import from_units
from portal.venues.errors import UnknownAsset, UnknownLedgerId, UnknownOrder
from portal.venues.kraken.models import Credential, Purpose, Snapshot, Step, Withdrawal
from portal.venues.registry import venue
from portal.venues.types import ClosedQuery, LedgerQuery, Part, TradeQuery

HERE = venue("kraken")


def withdrawal(account, step: Step, amount: str, **given) -> Withdrawal:
    now = timezone.now()
    sent = {
        "credential": Credential.objects.get(account=account, purpose=Purpose.WITHDRAW),
        "nonce": 1,
        "sent_at": now,
        "attempts": 1,
    }
    return Withdrawal.objects.create(
        account=account,
        reference=f"W{Withdrawal.objects.count()}",
        asset="XXBT",
        decimals=10,
        amount_units=int(Decimal(amount).scaleb(10)),
        max_fee_units=1,
        fee_units=1,
        key="btc-cold",
        address="bc1q",
        method="Bitcoin",
        network="Bitcoin",
        held_at=now,
        step=step,
        **{**(sent if step not in (Step.HELD, Step.INTENDED) else {}), **given},
    )


def bitcoin(account) -> tuple[Decimal, ...]:
    (row,) = [row for row in HERE.balances(account.pk) if row.asset.code == "BTC"]
    amounts = (row.units, row.held_by_orders_units, row.held_by_withdrawals_units)
    return tuple(from_units(each, row.asset.decimals) for each in amounts)


@pytest.mark.parametrize("step", Step)
def test_what_the_exchange_has_not_sent_is_taken_off(says, account, step):
    says.say(BalanceEx={"XXBT": {"balance": "10", "hold_trade": "1"}})
    refid = {"refid": "FTQ"} if step is Step.ACCEPTED else {}
    # What was accepted left before these balances were read.
    before = {"sent_at": timezone.now() - timedelta(minutes=1)} if step is Step.ACCEPTED else {}
    withdrawal(account, step, "2.5", **refid, **before)
    holds = step in (Step.HELD, Step.INTENDED, Step.SENDING, Step.LOST, Step.UNKNOWN)
    expected = (Decimal("7.5"), Decimal(1), Decimal("2.5")) if holds else (Decimal(10), Decimal(1), Decimal(0))
    assert bitcoin(account) == expected


def test_what_was_sent_after_the_last_reading_is_taken_off_that(says, account):
    """The last known balance still has it."""
    says.say(BalanceEx={"XXBT": {"balance": "10", "hold_trade": "0"}})
    bitcoin(account)
    Snapshot.objects.filter(account=account).update(read_at=timezone.now() - timedelta(minutes=2))
    says.refuse(BalanceEx="EService:Unavailable")
    withdrawal(account, Step.ACCEPTED, "2.5", refid="FTQ")
    assert bitcoin(account) == (Decimal("7.5"), Decimal(0), Decimal("2.5"))


def test_what_was_traded_away_is_less_than_nothing(says, account):
    says.say(BalanceEx={"ZUSD": {"balance": "1.0000", "hold_trade": "0.0000"}})
    withdrawal(account, Step.HELD, "2.5")
    assert bitcoin(account) == (Decimal("-2.5"), Decimal(0), Decimal("2.5"))


def test_credit_counts_in_as_the_exchange_counts_it(says, account):
    says.say(BalanceEx={"XXBT": {"balance": "10", "hold_trade": "1", "credit": "5", "credit_used": "2"}})
    assert bitcoin(account) == (Decimal(13), Decimal(1), Decimal(0))


def test_assets_that_nobody_knows_are_shown_with_their_digits(says, account):
    rows = {
        name: {"balance": amount, "hold_trade": "0"}
        for name, amount in {
            "XBT.F": "0.0000000001",
            "NEW.M": "12.345",
            "XXBT.S": "1",
            "FINE": "0." + "0" * 17 + "1",
        }.items()
    }
    says.say(BalanceEx=rows)
    found = {row.asset.code: from_units(row.units, row.asset.decimals) for row in HERE.balances(account.pk)}
    assert found == {
        "BTC.F": Decimal("0.0000000001"),
        "NEW.M": Decimal("12.345"),
        "XXBT.S": Decimal(1),
        "FINE": Decimal("0.000000000000000001"),
    }


def test_worth_is_asked_in_the_exchanges_name_of_the_currency(says, account):
    says.say(TradeBalance={"eb": "100.5", "mf": "90"})
    found = HERE.trade_balance(account.pk, "usd")
    assert (found.asset.id, found.equivalent, found.free, found.unexecuted) == (
        "ZUSD", Decimal("100.5"), Decimal(90), Decimal(0),
    )  # fmt: skip
    assert says.asked("TradeBalance") == [{"asset": "ZUSD"}]
    with pytest.raises(UnknownAsset):
        HERE.trade_balance(account.pk, "CHF")


MOVED = {
    "LAAAAA-AAAAA-AAAAAA": {
        "refid": "FTQ", "time": 1688464484.5, "type": "withdrawal", "asset": "XXBT", "amount": "-2.5", "fee": "0.0001",
        "balance": "7.4999",
    },
    "LBBBBB-BBBBB-BBBBBB": {
        "refid": "T", "time": 1688464483, "type": "trade", "asset": "ZUSD", "amount": "1", "fee": "0", "balance": "1",
    },
}  # fmt: skip


def test_what_our_own_withdrawal_moved_goes_by_our_reference(says, account):
    sent = withdrawal(account, Step.ACCEPTED, "2.5", refid="FTQ")
    says.say(Ledgers={"ledger": MOVED})
    first, second = HERE.ledger(account.pk, LedgerQuery()).rows
    assert (first.reference, second.reference) == (sent.reference, "T")


def test_the_ledger_is_asked_as_the_exchange_pages_it(says, account):
    says.say(Ledgers={"ledger": MOVED})
    HERE.ledger(
        account.pk, LedgerQuery(assets=("btc", "NEW.M"), kind="trade", until_id="LAAAAA-AAAAA-AAAAAA", offset=50)
    )
    assert says.asked("Ledgers") == [
        {
            "without_count": "true", "asset": "XXBT,NEW.M", "type": "trade", "end": "LAAAAA-AAAAA-AAAAAA", "ofs": "50",
        },
    ]  # fmt: skip
    assert not Snapshot.objects.filter(account=account).exists()


def test_one_asset_of_the_ledger_is_told_out_of_the_last_known(says, account):
    says.say(Ledgers={"ledger": MOVED})
    HERE.ledger(account.pk, LedgerQuery())
    says.refuse(Ledgers="EService:Unavailable")
    (row,) = HERE.ledger(account.pk, LedgerQuery(assets=("ZUSD",))).rows
    assert row.id == "LBBBBB-BBBBB-BBBBBB"


def test_a_filter_without_the_exchange_says_so(says, account, page):
    says.say(Ledgers={"ledger": MOVED})
    with page():
        HERE.ledger(account.pk, LedgerQuery())
        says.refuse(Ledgers="EService:Unavailable")
        HERE.ledger(account.pk, LedgerQuery(assets=("ZUSD",)))
        told = HERE.as_of(account.pk, Part.LEDGER)
    assert told.at is not None
    assert "EService:Unavailable" in told.trouble


def test_a_place_that_the_exchange_does_not_know_is_unknown(says, account):
    says.refuse(
        Ledgers="EQuery:Invalid ledger", ClosedOrders="EOrder:Unknown order", TradesHistory="EOrder:Unknown order"
    )
    with pytest.raises(UnknownLedgerId):
        HERE.ledger(account.pk, LedgerQuery(until_id="LAAAAA-AAAAA-AAAAAA"))
    with pytest.raises(UnknownOrder):
        HERE.closed_orders(account.pk, ClosedQuery(until_id="OAAAAA-AAAAA-AAAAAA"))
    with pytest.raises(UnknownOrder):
        HERE.trades(account.pk, TradeQuery(until_id="TAAAAA-AAAAA-AAAAAA"))


def test_a_query_window_is_kept_to(says, account):
    """Bots are relayed; whoever asks by a typed method with a window sees no more than it shows."""
    says.say(Ledgers={"ledger": MOVED})
    rows = HERE.ledger(account.pk, LedgerQuery()).rows
    seen = HERE.ledger(account.pk, LedgerQuery(seen_from=rows[0].at)).rows
    assert [row.id for row in seen] == ["LAAAAA-AAAAA-AAAAAA"]
    seen = HERE.ledger(account.pk, LedgerQuery(seen_before=rows[0].at)).rows
    assert [row.id for row in seen] == ["LBBBBB-BBBBB-BBBBBB"]

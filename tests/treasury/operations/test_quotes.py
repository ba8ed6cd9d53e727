"""What a withdrawal would cost and could be, and the addresses that it could go to."""

from decimal import Decimal

import pytest

from portal.core.errors import Insufficient, Invalid
from portal.treasury import withdrawals
from portal.treasury.errors import UnknownAddress
from portal.treasury.models import Address
from portal.treasury.quotes import preview
from portal.venues.errors import BelowMinimum, InsufficientFunds, UnknownAsset


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


class TestPreviewing:
    def test_a_preview_becomes_what_is_asked_letter_by_letter(self, world):
        found = preview(Address.objects.get(key="btc-cold"), Decimal("1.25"))

        params = found.params(Decimal("0.00007"))

        assert (params.key, params.amount, params.fee) == ("btc-cold", Decimal("1.25"), Decimal("0.00007"))
        assert (found.arrives, found.left) == (Decimal("1.25") - found.method.fee, Decimal("11.15"))

    @pytest.mark.parametrize(
        ("amount", "error"),
        [("99", InsufficientFunds), ("0.0001", BelowMinimum), ("NaN", Invalid), (None, Invalid)],
    )
    def test_a_preview_of_what_cannot_be_becomes_nothing(self, amount, error, world):
        found = preview(Address.objects.get(key="btc-cold"), None if amount is None else Decimal(amount))

        with pytest.raises(error) as refused:
            found.params(Decimal(1))
        assert refused.value.field == "amount"

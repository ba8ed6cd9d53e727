import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from policies.changes import propose
from policies.models import State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from portal.treasury.errors import UnknownAddress
from portal.treasury.models import Address
from portal.treasury.operations import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from portal.venues.errors import UnknownAsset, UnknownMethod
from tests.api.calls import Wire
from tests.factories.world import BTC_COLD, ETH_COLD
from tests.treasury.conftest import VENUE

TAPROOT = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
SOLANA = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"


def params(world, **changes):
    values = {"account_id": world.account.pk, "key": "sol-cold", "asset": "SOL", "method": "Solana", "address": SOLANA}
    return AddAddress(**{**values, **changes})


def test_an_address_is_added_at_once_by_who_may_execute(world, owner):
    change = propose(add_address, actor=owner, params=params(world))

    address = Address.objects.get(key="sol-cold")
    assert change.state == State.EXECUTED
    assert (address.asset, address.network, address.added_by) == ("SOL", "Solana", "Olive Marsh")
    assert AuditEvent.objects.filter(kind="address.added", subject_id=address.pk, account=world.account).exists()


def test_an_address_waits_for_the_approval_that_the_policy_asks_for(world, ana, ben, approve):
    change = propose(add_address, actor=ana, params=params(world))
    assert not Address.objects.filter(key="sol-cold").exists()

    assert approve(change, ben).state == State.EXECUTED
    assert Address.objects.get(key="sol-cold").added_by == "Ana Ruiz"


def test_an_address_may_be_called_by_itself_and_bots_send_to_it_so(world, ana, ben, approve, treasury_bot, settings):
    """fault bots-names: 40 characters were fewer than an address has."""
    settings.API_LIMITS = False
    names = (ETH_COLD, TAPROOT, "x" * 64)
    for place, name in enumerate(names):
        address = "0x" + f"{place + 1:040d}"
        add = params(world, key=name, asset="XETH", method="Ether (Hex)", address=address)
        assert approve(propose(add_address, actor=ana, params=add), ben).state == State.EXECUTED
    wire = Wire(treasury_bot)
    for name in names:
        assert wire.result("WithdrawAddresses", key=name)[0]["key"] == name
        reference = wire.result("Withdraw", asset="ETH", key=name, amount="0.1")["refid"]
        assert [row["key"] for row in wire.result("WithdrawStatus") if row["refid"] == reference] == [name]
    longer = propose(
        rename_address,
        actor=ana,
        params=RenameAddress(world.account.pk, Address.objects.get(key=TAPROOT).pk, TAPROOT, "y" * 64),
    )
    assert approve(longer, ben).state == State.EXECUTED


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": "btc-cold"}, Conflict),
        ({"key": "BTC-Cold"}, Conflict),
        ({"key": ""}, Invalid),
        ({"key": "x" * 65}, Invalid),
        ({"key": "btc\u200bcold"}, Invalid),
        ({"key": " cold"}, Invalid),
        ({"address": "bc1q"}, Invalid),
        ({"address": SOLANA + "\n"}, Invalid),
        ({"memo": "\u202e"}, Invalid),
        ({"address": ETH_COLD}, Invalid),
        ({"asset": "XETH", "method": "Ether (Hex)", "address": ETH_COLD.lower()}, Invalid),
        ({"asset": "XBT", "method": "Bitcoin", "address": BTC_COLD.upper()}, Invalid),
        ({"asset": "XETH", "method": "Ether (Hex)", "address": ETH_COLD, "memo": "7"}, Invalid),
        ({"asset": "DOGE"}, UnknownAsset),
        ({"method": "Bitcoin"}, UnknownMethod),
    ],
)
def test_an_address_that_cannot_be_is_refused_when_asked(changes, error, world, ana):
    with pytest.raises(error):
        propose(add_address, actor=ana, params=params(world, **changes))


def test_an_address_is_added_to_an_account_of_ones_own_only(world, ana, eve):
    """AZ-3: post another organization's pk."""
    with pytest.raises(NotFound):
        propose(add_address, actor=eve, params=params(world))


def test_who_may_only_approve_does_not_ask(world, ben):
    with pytest.raises(Refused):
        propose(add_address, actor=ben, params=params(world))


def test_of_two_requests_for_one_name_the_second_becomes_stale(world, owner, ana):
    waiting = propose(add_address, actor=ana, params=params(world))
    propose(add_address, actor=owner, params=params(world))

    waiting.refresh_from_db()
    assert waiting.state == State.STALE
    assert Address.objects.filter(key="sol-cold").count() == 1


def test_the_database_keeps_names_apart(world, owner):
    address = Address.objects.get(key="btc-cold")
    with pytest.raises(IntegrityError), transaction.atomic():
        Address.objects.create(
            organization=world.organization,
            account=world.account,
            key="BTC-COLD",
            asset="XXBT",
            method="Bitcoin",
            network="Bitcoin",
            address=address.address,
            added_by="-",
            added_at=timezone.now(),
        )


def test_a_removed_name_can_be_given_again(world, owner):
    address = Address.objects.get(key="btc-cold")
    removal = RemoveAddress(world.account.pk, address.pk, address.key)
    propose(remove_address, actor=owner, params=removal)
    assert AuditEvent.objects.filter(kind="address.removed", subject_id=address.pk).exists()

    again = params(world, key="btc-cold", asset="BTC", method="Bitcoin", address=BTC_COLD)
    assert propose(add_address, actor=owner, params=again).state == State.EXECUTED
    with pytest.raises(UnknownAddress):
        propose(remove_address, actor=owner, params=removal)


def test_an_address_next_door_is_unknown(world, owner):
    theirs = Address.objects.get(key="eve-cold")

    with pytest.raises(UnknownAddress):
        propose(remove_address, actor=owner, params=RemoveAddress(world.account.pk, theirs.pk, theirs.key))
    with pytest.raises(NotFound):
        propose(remove_address, actor=owner, params=RemoveAddress(theirs.account_id, theirs.pk, theirs.key))


def test_a_renamed_address_leads_where_it_led_and_what_waits_keeps_the_old_name(world, owner, ask, approve, ben, cleo):
    """CR-2: edit between approval and run, by the portal's own operation."""
    waiting = approve(ask(), ben)
    before = Address.objects.get(key="btc-cold")
    params = RenameAddress(world.account.pk, before.pk, "btc-cold", "btc-vault")

    assert propose(rename_address, actor=owner, params=params).state == State.EXECUTED

    renamed = Address.objects.get(key="btc-vault")
    assert (renamed.address, renamed.memo, renamed.added_at) == (before.address, before.memo, before.added_at)
    assert AuditEvent.objects.get(kind="address.renamed", subject_id=renamed.pk).data["before"] == "btc-cold"
    assert approve(waiting, cleo).state == State.EXECUTED
    assert VENUE.withdrawal(waiting.withdrawal.reference).destination.key == "btc-cold"
    with pytest.raises(UnknownAddress):
        ask()
    assert ask(key="btc-vault").params["address"] == BTC_COLD


@pytest.mark.parametrize(
    ("new_key", "error"),
    [("eth-cold", Conflict), ("ETH-COLD", Conflict), ("btc-cold", Invalid), ("", Invalid), ("a\u202eb", Invalid)],
)
def test_a_name_that_cannot_be_is_refused(new_key, error, world, owner):
    address = Address.objects.get(key="btc-cold")

    with pytest.raises(error) as refused:
        propose(rename_address, actor=owner, params=RenameAddress(world.account.pk, address.pk, "btc-cold", new_key))
    assert refused.value.field in ("key", "title")


def test_a_name_may_change_its_capitals(world, owner):
    address = Address.objects.get(key="btc-cold")

    propose(rename_address, actor=owner, params=RenameAddress(world.account.pk, address.pk, "btc-cold", "BTC-cold"))

    assert Address.objects.filter(key="BTC-cold", removed_at=None).exists()


def test_of_two_renamings_of_one_address_the_second_becomes_stale(world, owner, ana):
    address = Address.objects.get(key="btc-cold")
    waiting = propose(rename_address, actor=ana, params=RenameAddress(world.account.pk, address.pk, "btc-cold", "one"))
    propose(rename_address, actor=owner, params=RenameAddress(world.account.pk, address.pk, "btc-cold", "two"))

    waiting.refresh_from_db()
    assert waiting.state == State.STALE
    assert set(Address.objects.filter(address=BTC_COLD, organization=world.organization, removed_at=None)
               .values_list("key", flat=True)) == {"two"}  # fmt: skip


@pytest.mark.parametrize("text", [ETH_COLD.lower(), ETH_COLD])
def test_one_destination_has_one_name_in_an_account(text, world, owner):
    """Not under another name, and not in other letters; for another asset it is another destination."""
    Address.objects.filter(key="eth-cold").update(address=text)
    again = params(world, key="eth-2", asset="XETH", method="Ether (Hex)", address=ETH_COLD)

    with pytest.raises(Conflict, match="eth-cold") as refused:
        propose(add_address, actor=owner, params=again)
    assert refused.value.field == "address"

    usdc = params(world, key="usdc-cold", asset="USDC", method="USDC (ERC20)", address=ETH_COLD)
    assert propose(add_address, actor=owner, params=usdc).state == State.EXECUTED


def test_another_memo_makes_another_destination(world, owner):
    for memo in ("", "7"):
        propose(add_address, actor=owner, params=params(world, key=f"sol{memo}", memo=memo))
    assert Address.objects.filter(address=SOLANA).count() == 2

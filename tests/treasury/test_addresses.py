import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from policies.changes import propose
from policies.models import State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from portal.treasury.destinations import check_address, check_key, check_memo
from portal.treasury.errors import UnknownAddress
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, RemoveAddress, add_address, remove_address
from portal.venues.errors import UnknownAsset, UnknownMethod
from tests.factories.world import BTC_COLD

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


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": "btc-cold"}, Conflict),
        ({"key": "BTC-Cold"}, Conflict),
        ({"key": ""}, Invalid),
        ({"key": "x" * 41}, Invalid),
        ({"key": "btc\u200bcold"}, Invalid),
        ({"key": " cold"}, Invalid),
        ({"address": "bc1q"}, Invalid),
        ({"address": SOLANA + "\n"}, Invalid),
        ({"memo": "\u202e"}, Invalid),
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


def test_of_two_requests_for_one_name_the_second_fails(world, owner, ana, ben, approve):
    waiting = propose(add_address, actor=ana, params=params(world))
    propose(add_address, actor=owner, params=params(world))

    change = approve(waiting, ben)

    assert change.state == State.FAILED
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


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("Bitcoin", BTC_COLD),
        ("Bitcoin", BTC_COLD.upper()),
        ("Bitcoin", "bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297"),
        ("Bitcoin", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("Bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        ("Ethereum", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("Solana", SOLANA),
        ("SWIFT", "GB33BUKB20201555555555"),
        ("SWIFT", "021000021 / 123456789"),
        ("SEPA", "DE89370400440532013000"),
        ("Lightning", "lnbc1"),
    ],
)
def test_addresses_that_can_be(network, text):
    check_address(network, text)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("Bitcoin", ""),
        ("Bitcoin", "bc1q" + "a" * 60),
        ("Bitcoin", "Bc1" + BTC_COLD[3:]),
        ("Bitcoin", BTC_COLD[:-1] + "\u0430"),
        ("Bitcoin", BTC_COLD + " "),
        ("Bitcoin", BTC_COLD + "\n"),
        ("Bitcoin", "\u202e" + BTC_COLD),
        ("Bitcoin", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("Ethereum", "0x52908400098527886E0F7030069857D2E4169EE"),
        ("Ethereum", "52908400098527886E0F7030069857D2E4169EE7"),
        ("Ethereum", "0x\u0665" + "0" * 39),
        ("Solana", SOLANA.replace("7", "0")),
        ("SWIFT", "GB33\u200bBUKB20201555555555"),
        ("SWIFT", "x" * 71),
        ("SEPA", "DE89 3704 0044"),
        ("Lightning", "ln bc1"),
        ("Lightning", "x" * 201),
    ],
)
def test_addresses_that_cannot_be(network, text):
    with pytest.raises(Invalid):
        check_address(network, text)


@pytest.mark.parametrize("key", ["a", "btc-cold", "Cold wallet 2", "x" * 40])
def test_names_that_can_be(key):
    check_key(key)


@pytest.mark.parametrize("memo", ["", "7", "invoice 4711", "x" * 100])
def test_memos_that_can_be(memo):
    check_memo(memo)


@pytest.mark.parametrize("memo", [" ", "a\nb", "\u202e", "x" * 101])
def test_memos_that_cannot_be(memo):
    with pytest.raises(Invalid):
        check_memo(memo)

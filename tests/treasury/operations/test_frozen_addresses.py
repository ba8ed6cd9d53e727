"""Freezing one withdrawal address: it is known by what it leads to, whatever it is called (DESIGN §4)."""

import pytest

from policies.changes import propose
from policies.freezes.freeze import freeze
from policies.freezes.places import Place, with_destination
from policies.models import ChangeRequest, Policy, State
from policies.workflows import Workflow
from portal.core.errors import NotFound, Refused
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, RenameAddress, add_address, rename_address
from portal.treasury.operations.freezing import find, receiver
from tests.factories.world import BANK, BTC_COLD, ETH_COLD

pytestmark = pytest.mark.django_db
MONEY = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def frozen(world, ana):
    def at(name, member=ana, hours=1):
        place = with_destination(Place(MONEY, world.account.pk, world.account.name), name)
        return freeze(actor=member, place=place, hours=hours, reason="It is not ours.")

    return at


def test_nothing_is_asked_to_that_address_and_the_others_go_on(ask, frozen):
    assert frozen("btc-cold").label == "Initiate Withdrawal from Main to btc-cold"
    with pytest.raises(Refused, match="Initiate Withdrawal from Main to btc-cold is frozen until"):
        ask()
    assert ask(key="eth-cold", asset="XETH").state == State.PENDING


def test_what_waits_is_not_approved_and_can_be_rejected(ask, frozen, approve, ben, cleo, standing):
    change = ask()
    approve(change, ben)
    frozen("BTC-Cold")
    with pytest.raises(Refused, match="is frozen until"):
        approve(change, cleo)
    assert standing()[1] > 0
    change.refresh_from_db()
    assert change.state == State.PENDING


def test_another_name_and_another_asset_do_not_escape_it(world, owner, ask, frozen):
    """The name is what people call it; whoever holds its key receives tokens there too."""
    Policy.objects.all().delete()
    account = world.account.pk
    frozen("eth-cold")
    row = Address.objects.get(key="eth-cold")
    propose(rename_address, actor=owner, params=RenameAddress(account, row.pk, row.key, "fresh"))
    propose(add_address, actor=owner, params=AddAddress(account, "token", "USDC", "USDC (ERC20)", ETH_COLD))
    for key, asset in (("fresh", "XETH"), ("token", "USDC")):
        with pytest.raises(Refused, match="to eth-cold is frozen until"):
            ask(amount="50", key=key, asset=asset)


def test_a_name_that_the_book_does_not_have_is_refused_beside_it(frozen, world, elsewhere_account):
    with pytest.raises(NotFound) as caught:
        frozen("nowhere")
    assert caught.value.field == "address"
    assert find(elsewhere_account.pk, "btc-cold") is None


@pytest.fixture
def elsewhere_account(world):
    return world.elsewhere.accounts.get()


@pytest.mark.parametrize(
    ("network", "first", "second"),
    [
        ("Ethereum", ETH_COLD, ETH_COLD.lower()),
        ("Somewhere like it", ETH_COLD, ETH_COLD.lower()),
        ("SWIFT", BANK, BANK.replace("Demo Treasury Ltd", "Demo Ltd")),
        ("SWIFT", "BUKBGB22/12345678/A", "BUKBGB22XXX/12345678/B"),
        ("SWIFT", "unlike/any", "unlike/any"),
    ],
)
def test_one_receiver_is_one_however_it_is_written(network, first, second):
    assert receiver(network, first) == receiver(network, second)


def test_an_account_is_the_same_one_by_either_scheme_of_banks():
    assert receiver("SEPA", "GB33BUKB20201555555555/A") == receiver("SWIFT", BANK)


@pytest.mark.parametrize(
    ("network", "first", "second"),
    [
        ("Bitcoin", BTC_COLD, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        ("SWIFT", "BUKBGB22/12345678/A", "BUKBGB22/12345679/A"),
        ("SWIFT", "BUKBGB22/12345678/A", "DEUTDEFF/12345678/A"),
        ("Solana", "So11111111111111111111111111111111111111112", "so11111111111111111111111111111111111111112"),
    ],
)
def test_two_receivers_are_two(network, first, second):
    assert receiver(network, first) != receiver(network, second)


def test_a_freeze_leaves_no_request_and_no_hold_behind(ask, frozen, standing, world):
    before = standing()
    frozen("btc-cold")
    with pytest.raises(Refused):
        ask()
    assert standing() == before
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw", organization=world.organization).exists()

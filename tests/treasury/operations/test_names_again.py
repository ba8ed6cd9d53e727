"""A name that once stood for another address is never given again at once: bots send to names (DESIGN P2, P4)."""

import pytest

from policies.changes import decide, propose
from policies.models import Policy, State
from portal.core.errors import Conflict
from portal.treasury.models import Address
from portal.treasury.operations import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from tests.factories.world import BTC_COLD

pytestmark = pytest.mark.django_db
OTHER = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
THIRD = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"


@pytest.fixture
def cold(world) -> Address:
    return Address.objects.get(account=world.account, key="btc-cold", removed_at=None)


def add(actor, account, key, address):
    return propose(add_address, actor=actor, params=AddAddress(account.pk, key, "BTC", "Bitcoin", address))


def remove(actor, account, row):
    return propose(remove_address, actor=actor, params=RemoveAddress(account.pk, row.pk, row.key))


def test_a_name_is_not_led_elsewhere_by_one_person(owner, ben, account, cold, fresh):
    """fault rules-c: who held Execute on Manage Addresses alone took `cold` out and put their own address in."""
    assert remove(owner, account, cold).state == State.EXECUTED
    change = add(owner, account, "btc-cold", OTHER)
    assert (change.state, change.approvals_required) == (State.PENDING, 1)
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert Address.objects.get(account=account, key="btc-cold", removed_at=None).address == OTHER


def test_neither_is_it_by_renaming(owner, account, cold):
    """fault rules-c, its brother: another address takes the name by way of a new one."""
    assert remove(owner, account, cold).state == State.EXECUTED
    assert add(owner, account, "btc-new", OTHER).state == State.EXECUTED
    row = Address.objects.get(account=account, key="btc-new", removed_at=None)
    renamed = propose(rename_address, actor=owner, params=RenameAddress(account.pk, row.pk, "btc-new", "btc-cold"))
    assert (renamed.state, renamed.approvals_required) == (State.PENDING, 1)


def test_the_same_address_comes_back_under_its_name_at_once(owner, account, cold):
    """fault rules-c: nothing leads elsewhere."""
    remove(owner, account, cold)
    assert add(owner, account, "btc-cold", BTC_COLD).state == State.EXECUTED


def test_while_anything_is_locked_a_name_takes_as_many_as_the_lock(owner, account, cold, world):
    """fault rules-c, P4."""
    remove(owner, account, cold)
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(is_locked=True)
    change = add(owner, account, "btc-cold", OTHER)
    assert (change.state, change.approvals_required) == (State.PENDING, 2)


def test_a_name_that_led_elsewhere_only_since_it_was_asked_is_not_given(ana, owner, ben, account, fresh):
    """fault rules-c: whoever agreed did not know it."""
    change = add(ana, account, "btc-vault", OTHER)
    assert add(owner, account, "btc-vault", THIRD).state == State.EXECUTED
    row = Address.objects.get(account=account, key="btc-vault", removed_at=None)
    remove(owner, account, row)
    with pytest.raises(Conflict):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert not Address.objects.filter(account=account, key="btc-vault", removed_at=None).exists()

"""An address that the exchange has otherwise than it was agreed to is shown so, and nothing is sent there."""

import pytest
from django.urls import reverse

from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from policies.payload import decode
from policies.registry import get
from portal.core.errors import Invalid, Refused
from portal.treasury.errors import AddressDrifted
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, Withdraw, add_address, rename_address, withdraw
from portal.treasury.operations.params import RenameAddress
from portal.treasury.tasks import compare_books
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.models import Alarm
from portal.venues.registry import venue
from tests.factories import people
from tests.gateway.upstream.customers import Destination

pytestmark = pytest.mark.django_db
OTHER = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
ETH = "0xde709f2102306220921060314715629080e2fb77"
KINDS = ("re-pointed", "gone")


@pytest.fixture
def drifts(real):
    """Change the exchange's book, and let it be read."""

    def change(kind: str) -> None:
        if kind == "re-pointed":
            real.customer.re_point("btc-cold", OTHER)
        else:
            real.customer.remove("btc-cold")
        listing.ask(real.account.pk)

    listing.ask(real.account.pk)
    compare_books()
    return change


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_asks_for_a_withdrawal_there(kind, real, drifts):
    drifts(kind)
    with pytest.raises(AddressDrifted, match="btc-cold"):
        real.ask()
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()
    assert real.balance().held_by_withdrawals_units == 0


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_agrees_to_one_that_was_asked_before(kind, real, drifts, client, sign_in, ben):
    change = real.ask()
    drifts(kind)
    with pytest.raises(Refused, match="as it was agreed to here"):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=people.proof(change))
    sign_in(client, ben)
    shown = words(client.get(reverse("policies:request", args=[change.reference])))
    assert "Nobody can approve it until the exchange lists the address as it was agreed to here." in shown
    assert real.state(change) == State.PENDING
    # To say no is open to everybody all the same.
    decide(change.reference, member=ben, approved=False, digest=change.digest, proof=people.proof(change), reason="No.")
    assert real.state(change) == State.REJECTED


@pytest.mark.parametrize("kind", KINDS)
def test_none_is_sent_that_was_agreed_to_before(kind, real, drifts):
    change = real.ask()
    drifts(kind)
    params: Withdraw = decode(get(change.operation).params, change.params)
    with pytest.raises(AddressDrifted, match="Nothing was sent"):
        withdraw(actor=real.world.bot("treasury-bot").service_user, params=params, change=change)
    assert real.there() == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_about_to_be_sent_waits_until_it_is_put_right(kind, real, drifts, later):
    """Agreed to while all was well, and its intent is written."""
    change = real.agreed()
    before = real.customer.addresses["btc-cold"]
    drifts(kind)
    real.tend()
    assert real.there() == []
    assert "btc-cold" in real.row(change).trouble
    if kind == "gone":
        real.customer.add(before)
    else:
        real.customer.re_point("btc-cold", before.address)
    listing.ask(real.account.pk)
    with later(60):
        real.tend()
    assert [row["key"] for row in real.there()] == ["btc-cold"]
    assert real.state(change) == State.EXECUTED


def test_coming_back_lifts_it(real, drifts):
    change = real.ask()
    before = real.customer.addresses["btc-cold"]
    drifts("gone")
    real.customer.add(before)
    listing.ask(real.account.pk)
    real.approve(change)
    real.tend()
    assert real.state(change) == State.EXECUTED


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_say_so_and_one_alarm_is_raised(kind, real, drifts, client, sign_in, ana):
    drifts(kind)
    compare_books()
    compare_books()
    assert Alarm.objects.filter(kind=Alarm.Kind.ADDRESS_DRIFT).count() == 1
    sign_in(client, ana)
    shown = words(client.get(reverse("treasury:addresses")))
    assert "Nothing is sent there." in shown
    row = Address.objects.get(account=real.account, key="btc-cold")
    asked = client.get(reverse("treasury:new_withdrawal"), {"address": row.pk})
    data = {"account": real.account.pk, "address": row.pk, "amount": "0.5"}
    preview = client.get(reverse("treasury:preview_withdrawal"), data)
    assert asked.status_code == 200
    assert ("leads to" if kind == "re-pointed" else "lists no address") in words(preview)


def test_an_address_there_is_not_renamed_here(real, client, sign_in, ana):
    row = Address.objects.get(account=real.account, key="btc-cold")
    params = RenameAddress(real.account.pk, row.pk, "btc-cold", "btc-vault")
    with pytest.raises(Invalid, match="Rename it at the exchange"):
        propose(rename_address, actor=ana, params=params)
    sign_in(client, ana)
    page = words(client.get(reverse("treasury:rename_address", args=[row.pk])))
    assert "Rename it at the exchange" in page
    assert "Rename address</button>" not in page
    listed = client.get(reverse("treasury:addresses")).content.decode()
    assert reverse("treasury:rename_address", args=[row.pk]) not in listed
    assert reverse("treasury:remove_address", args=[row.pk]) in listed


@pytest.fixture
def form(real, client, sign_in, ana, code):
    """The page to add an address by hand."""
    listing.ask(real.account.pk)
    sign_in(client, ana)

    def typed(asset: str, method: str, **data: str):
        url = f"{reverse('treasury:new_address')}?account={real.account.pk}&way={asset}:{method}"
        shown = client.get(url)
        assert "Add it at the exchange first" in words(shown)
        return client.post(url, {"note": "", "code": code(ana), **data})

    return typed


def test_an_address_that_is_not_listed_there_is_asked_for_with_a_warning(form, real):
    answer = form("XXBT", "Bitcoin", key="btc-new", address=OTHER)
    assert "does not list btc-new yet" in words(answer)
    assert not ChangeRequest.objects.filter(state=State.PENDING).exists()
    form("XXBT", "Bitcoin", key="btc-new", address=OTHER, unlisted="on")
    change = ChangeRequest.objects.get(state=State.PENDING)
    said = [notice.title for notice in get(change.operation).describe(change).notices]
    assert "The exchange lists no address called btc-new." in said


def test_an_address_that_is_listed_there_is_asked_for_as_it_is_written_there(form, real):
    """Letter by letter: it goes back there, where another spelling may be another address."""
    real.customer.add(Destination("eth-warm", "XETH", "Ether (Hex)", MIXED))
    listing.ask(real.account.pk)
    wrong = form("XETH", "Ether (Hex)", key="eth-warm", address=MIXED.lower())
    assert "Write it as it is there" in words(wrong)
    form("XETH", "Ether (Hex)", key="eth-warm", address=real.customer.addresses["eth-warm"].address)
    change = ChangeRequest.objects.get(state=State.PENDING)
    said = [notice.title for notice in get(change.operation).describe(change).notices]
    assert any(title.startswith("The exchange lists it so") for title in said)


def test_another_address_than_the_listed_one_is_refused(form, real):
    answer = form("XXBT", "Bitcoin", key="usd-bank", address=OTHER)
    assert "leads to BUKBGB22" in words(answer)
    assert not ChangeRequest.objects.filter(state=State.PENDING).exists()


def test_what_is_no_address_of_the_network_is_refused_there_too(form):
    assert "Ethereum" in words(form("XXBT", "Bitcoin", key="btc-x", address=ETH, unlisted="on"))


def test_an_account_of_the_paper_exchange_knows_nothing_of_all_that(world, ana):
    paper = venue("paper")
    assert paper.listed_addresses([world.account.pk]) == {}
    assert paper.read_listed_addresses(world.account.pk) is None
    params = AddAddress(world.account.pk, "btc-own", "XXBT", "Bitcoin", OTHER)
    change = propose(add_address, actor=ana, params=params)
    titles = [notice.title for notice in get(change.operation).describe(change).notices]
    assert not any("exchange" in title for title in titles)

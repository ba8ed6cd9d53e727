"""What the exchange lists and the book does not have becomes ordinary requests, each by itself."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from policies.changes import decide
from policies.models import ChangeRequest, State
from portal.treasury.models import Address
from tests.factories import people
from tests.gateway.proxy import faults
from tests.gateway.upstream.customers import Destination

pytestmark = pytest.mark.django_db
SOL = Destination("sol-cold", "SOL", "Solana", "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM")
WARM = Destination("btc-warm", "XXBT", "Bitcoin", "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh")


@pytest.fixture
def page(real) -> str:
    return reverse("treasury:import_addresses", args=[real.account.pk])


@pytest.fixture
def choose(client, code, ana):
    """Tick these, as the page shows them, and ask."""

    def ticked(page: str, *keys: str):
        offered = {one.row.key: one.token for one, _ in client.get(page).context["offered"]}
        data = {"chosen": [offered[key] for key in keys], "note": "", "code": code(ana)}
        return client.post(page, data, follow=True)

    return ticked


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_what_is_there_and_not_here_is_offered(real, page, client, sign_in, ana):
    real.customer.add(SOL)
    sign_in(client, ana)
    answer = client.get(page)
    assert [one.row.key for one, _ in answer.context["offered"]] == ["sol-cold"]
    assert [(one.row.key, one.is_here) for one in answer.context["others"]] == [
        ("btc-cold", True), ("eth-cold", True), ("usd-bank", True),
    ]  # fmt: skip
    assert "Solana" in words(answer)


def test_each_that_is_chosen_becomes_a_request_of_its_own(real, page, client, sign_in, ana, ben, choose):
    for each in (SOL, WARM):
        real.customer.add(each)
    sign_in(client, ana)
    answer = choose(page, "sol-cold", "btc-warm")
    assert "2 addresses asked for" in words(answer)
    changes = list(ChangeRequest.objects.filter(operation="treasury.add_address", state=State.PENDING))
    assert len(changes) == 2
    for change in changes:
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=people.proof(change))
    book = {row.key: row for row in Address.objects.filter(account=real.account, removed_at=None)}
    assert (book["sol-cold"].address, book["sol-cold"].method, book["sol-cold"].asset) == (SOL.address, "Solana", "SOL")
    assert book["btc-warm"].address == WARM.address
    assert client.get(page).context["offered"] == []


def test_what_waits_is_not_offered_again(real, page, client, sign_in, ana, choose):
    real.customer.add(SOL)
    sign_in(client, ana)
    choose(page, "sol-cold")
    answer = client.get(page)
    assert answer.context["offered"] == []
    assert "waits" in words(answer)


def test_what_cannot_be_asked_says_why_beside_it_and_the_others_go_on(real, page, client, sign_in, ana, choose):
    real.customer.add(SOL)
    cold = real.customer.addresses["btc-cold"].address
    listed = {"asset": "XBT", "method": "Bitcoin", "verified": True}
    real.proxy.on(
        "WithdrawAddresses",
        faults.changed(
            lambda rows: [
                *rows,
                {**listed, "key": "btc (cold)", "address": WARM.address},
                {**listed, "key": "btc-again", "address": cold},
                {**listed, "key": "btc-wrong", "address": "not an address"},
                {**listed, "key": "who-knows", "asset": "NOPE", "address": WARM.address},
            ]
        ),
    )
    sign_in(client, ana)
    answer = choose(page, "sol-cold", "btc (cold)", "btc-again", "btc-wrong", "who-knows")
    refused = {one.row.key: said for one, said in answer.context["offered"]}
    assert set(refused) == {"btc (cold)", "btc-again", "btc-wrong", "who-knows"}
    assert "letters, digits" in refused["btc (cold)"]
    assert "in the book already, as btc-cold" in refused["btc-again"]
    assert all(refused.values())
    assert ChangeRequest.objects.filter(state=State.PENDING).get().title == "Add SOL address sol-cold"
    assert "1 address asked for" in words(answer)


def test_what_is_another_place_here_is_shown_and_not_offered(real, page, client, sign_in, ana):
    real.customer.re_point("btc-cold", WARM.address)
    sign_in(client, ana)
    answer = client.get(page)
    assert answer.context["offered"] == []
    assert "Is another place here" in words(answer)


def test_a_choice_that_the_list_has_left_behind_asks_for_nothing(real, page, client, sign_in, ana, code):
    real.customer.add(SOL)
    sign_in(client, ana)
    token = client.get(page).context["offered"][0][0].token
    real.customer.re_point("sol-cold", "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T")
    client.get(page)
    answer = client.post(page, {"chosen": [token], "note": "", "code": code(ana)})
    assert "list has changed" in words(answer)
    assert not ChangeRequest.objects.filter(state=State.PENDING).exists()


@pytest.mark.parametrize("chosen", [[], ["x"], ["0" * 32]])
def test_nothing_that_was_not_offered_is_asked_for(chosen, real, page, client, sign_in, ana, code):
    real.customer.add(SOL)
    sign_in(client, ana)
    client.get(page)
    assert client.post(page, {"chosen": chosen, "note": "", "code": code(ana)}).status_code == 200
    assert not ChangeRequest.objects.filter(state=State.PENDING).exists()


def test_without_the_exchange_the_last_list_is_shown_and_said_to_be_that(real, page, client, sign_in, ana):
    real.customer.add(SOL)
    sign_in(client, ana)
    client.get(page)
    with real.proxy.away():
        answer = client.get(page)
    assert "could not be asked" in words(answer)
    assert [one.row.key for one, _ in answer.context["offered"]] == ["sol-cold"]


def test_only_who_may_ask_for_addresses_imports(real, page, client, sign_in, ben, eve):
    sign_in(client, ben)
    assert client.get(page).status_code == 403
    other = client.__class__()
    sign_in(other, eve)
    assert other.get(page).status_code == 404


def test_a_book_of_its_own_has_nothing_to_import(real, client, sign_in, ana):
    paper = Account.objects.create(
        organization=real.account.organization, name="Paper", created_at=real.account.created_at
    )
    sign_in(client, ana)
    assert client.get(reverse("treasury:import_addresses", args=[paper.pk])).status_code == 404


def test_the_pages_make_no_more_than_fifteen_statements(real, page, client, sign_in, ana):
    sign_in(client, ana)
    for number in range(3):
        for url in (page, reverse("treasury:addresses"), reverse("kraken:alarms")):
            client.get(url)
            with CaptureQueriesContext(connection) as statements:
                assert client.get(url).status_code == 200
            assert len(statements) <= 15, (number, url, [one["sql"][:150] for one in statements])
        real.customer.add(Destination(f"btc-{number}", "XXBT", "Bitcoin", ADDRESSES[number]))


ADDRESSES = (WARM.address, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy")

"""Connecting to a running exchange: what it says of each sort of key, and what goes wrong on the way."""

import pytest

from accounts.models import Account
from policies import registry
from policies.models import ChangeRequest, State
from portal.core.errors import Conflict, Invalid, Unavailable
from portal.venues.kraken import inspection
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.asking import NewConnection, ask_to_add, ask_to_connect, open_orders
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.models import Connection, Credential, Purpose, Snapshot, Tier
from tests.gateway.proxy import faults
from tests.gateway.upstream.exchange import WRONG_SECRET

pytestmark = pytest.mark.django_db


def typed(customer, purpose: Purpose, kind: str, *, secret: str = "") -> Typed:
    public, own = customer.keys[kind]
    return Typed(purpose, purpose.label, public, secret or own, f"{purpose.value}_")


@pytest.fixture
def wanted(customer, proxy, settings):
    """An Account with one key of either kind, by way of the proxy."""
    settings.EXCHANGES = [f"Test={proxy.url}"]

    def new(withdraw="withdraw", rest="rest", *, name="Real", **secrets) -> NewConnection:
        credentials = [
            typed(customer, purpose, kind, secret=secrets.get(f"{purpose}_secret", ""))
            for purpose, kind in ((Purpose.WITHDRAW, withdraw), (Purpose.REST, rest))
            if kind
        ]
        return NewConnection("Test", name, Tier.PRO, credentials)

    return new


def told(change: ChangeRequest) -> list[str]:
    return [notice.title.partition(": ")[2] for notice in registry.get(change.operation).describe(change).notices]


def test_an_account_that_is_connected_and_used(owner, wanted, customer):
    change = ask_to_connect(owner, wanted())
    assert change.state == State.EXECUTED
    account = Account.objects.get(name="Real")
    rows = {row.purpose: row for row in Credential.objects.filter(account=account)}
    assert rows[Purpose.WITHDRAW].permissions == ["withdraw-funds"]
    assert rows[Purpose.REST].nonce_window == 5_000_000_000
    assert rows[Purpose.WITHDRAW].owner == rows[Purpose.REST].owner != ""
    assert Snapshot.objects.get(account=None, part="assets").answer
    assert open_orders(account.pk) == 0
    for row in rows.values():
        assert inspection.look_again(row.pk).changed == ()


WARNED = {
    "as it should be": ({}, set()),
    "one that may all": ({"withdraw": "everything"}, {"It may do more than withdraw."}),
    "a window": ({"withdraw": "withdraw with a window"}, {"It has a nonce window."}),
    "from anywhere": ({"withdraw": "withdraw from anywhere"}, {"It works from any address."}),
    "all for the rest": ({"rest": "everything"}, {"It may withdraw."}),
}


@pytest.mark.parametrize(("kinds", "warned"), WARNED.values(), ids=WARNED)
def test_what_the_approver_is_warned_of(ana, wanted, kinds, warned):
    assert set(told(ask_to_connect(ana, wanted(**kinds)))) == warned


def test_an_end_that_is_near(ana, wanted):
    assert any(
        "It expires on" in title for title in told(ask_to_connect(ana, wanted(withdraw="withdraw for three days")))
    )


REFUSED = {
    "the wrong secret": ({"rest_secret": WRONG_SECRET}, refusals.WRONG_PRIVATE_HALF, "rest_secret"),
    "one from elsewhere": ({"withdraw": "withdraw from elsewhere"}, refusals.UNKNOWN_KEY, "withdraw_public"),
    "one that may not withdraw": ({"withdraw": "rest in order"}, refusals.MAY_NOT_WITHDRAW, "withdraw_public"),
    "one that only withdraws for the rest": ({"withdraw": "", "rest": "withdraw"}, refusals.MAY_NOTHING, "rest_public"),
    "one of another account": ({"rest": "of another account"}, refusals.OTHER_ACCOUNT, "rest_public"),
    "one that reads no balance": ({"rest": "nearly nothing"}, refusals.READS_NO_BALANCE, "rest_public"),
}


@pytest.mark.parametrize(("given", "said", "field"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_nothing_half_connected(owner, wanted, given, said, field):
    asked = wanted(**given)
    with pytest.raises(Invalid) as refused:
        ask_to_connect(owner, asked)
    assert (refused.value.message, refused.value.field) == (said, field)
    assert not Account.objects.filter(name="Real").exists()
    assert not Credential.objects.exists()


FAULTS = {
    "the answer is lost": faults.answer_lost,
    "cut before": faults.cut_before,
    "half of it": faults.cut_in_the_middle,
    "gzip that is broken": faults.gzip_broken,
    "half of the JSON": faults.truncated_json(executed=True),
    "HTML of the network in front of it": faults.page(502, executed=False),
    "on to somewhere else": faults.redirect(302, "http://127.0.0.1:1/"),
    "JSON of another service": faults.shape({"status": "ok"}),
}


@pytest.mark.parametrize("method", ["GetApiKeyInfo", "WithdrawMethods", "Balance", "Assets"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_whatever_goes_wrong_on_the_way_nothing_is_asked_and_the_next_try_goes_well(
    owner, wanted, proxy, fault, method
):
    proxy.on(method, fault, times=1)
    with pytest.raises(Unavailable):
        ask_to_connect(owner, wanted())
    assert not Credential.objects.exists()
    assert not Connection.objects.exists()
    assert ask_to_connect(owner, wanted()).state == State.EXECUTED


def test_a_compressed_answer_is_as_good(owner, wanted, proxy):
    proxy.on(None, faults.gzipped)
    assert ask_to_connect(owner, wanted()).state == State.EXECUTED


def test_an_exchange_that_is_away(owner, wanted, proxy):
    asked = wanted()
    with proxy.away(), pytest.raises(Unavailable, match="cannot be reached"):
        ask_to_connect(owner, asked)


def test_a_key_that_is_connected_already(owner, eve, wanted):
    ask_to_connect(owner, wanted())
    for member in (owner, eve):
        with pytest.raises(Conflict) as refused:
            ask_to_connect(member, wanted(name="Another"))
        assert refused.value.message == refusals.USED_HERE


def test_a_revoked_one_stops_and_is_replaced(owner, wanted, customer):
    ask_to_connect(owner, wanted())
    real = Connection.objects.select_related("account").get()
    old = Credential.objects.get(purpose=Purpose.WITHDRAW)
    customer.revoke("withdraw")
    with pytest.raises(inspection.NotTold, match="EAPI:Invalid key"):
        inspection.look_again(old.pk)
    old.refresh_from_db()
    assert old.stopped_because == "EAPI:Invalid key"
    customer.another("withdraw", "the next one")
    change = ask_to_add(owner, real, typed(customer, Purpose.WITHDRAW, "the next one"), replaces=old)
    assert change.state == State.EXECUTED
    assert Credential.objects.get(purpose=Purpose.WITHDRAW, removed_at=None).stopped_at is None


def test_one_that_stops_by_its_allow_list_starts_again_once_that_is_right(owner, wanted, customer):
    ask_to_connect(owner, wanted())
    row = Credential.objects.get(purpose=Purpose.REST)
    customer.change("rest", ip_allow_list=["198.51.100.7"])
    with pytest.raises(inspection.NotTold):
        inspection.look_again(row.pk)
    with pytest.raises(inspection.NotTold):
        inspection.try_again(row.pk)
    customer.change("rest", ip_allow_list=["127.0.0.1"])
    inspection.try_again(row.pk)
    row.refresh_from_db()
    assert (row.stopped_at, row.stopped_because) == (None, "")

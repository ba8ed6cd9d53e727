"""Connecting an Account to an exchange (DESIGN V2): governed, whole or not at all, no secret anywhere but sealed."""

import time
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import Account
from policies import registry
from policies.changes import cancel, decide, propose
from policies.models import ChangeRequest, Policy, State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Unavailable
from portal.core.secrets.sealing import unseal
from portal.venues.kraken.connection import proposing, refusals
from portal.venues.kraken.connection.asking import ask_to_connect
from portal.venues.kraken.connection.connecting import NO_REST, connect
from portal.venues.kraken.connection.params import Connect
from portal.venues.kraken.connection.proposing import WIPED
from portal.venues.kraken.models import Connection, Credential, Purpose, Snapshot, Tier
from tests.factories import people
from tests.venues.kraken.connection.exchange import BOTH, REST, WITHDRAW, info, secret_of, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(ana, new_connection) -> ChangeRequest:
    """A request that waits for an approval."""
    return ask_to_connect(ana, new_connection())


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=people.proof(change))


def test_whoever_may_alone_has_it_at_once(owner, new_connection, keys):
    change = ask_to_connect(owner, new_connection())
    assert change.state == State.EXECUTED
    account = Account.objects.get(organization=owner.organization, name="Real")
    assert account.venue == "kraken"
    made = Connection.objects.get(account=account)
    assert (made.exchange, made.tier, made.disconnected_at) == ("Test", Tier.INTERMEDIATE, None)
    rows = {row.public: row for row in Credential.objects.filter(account=account)}
    assert {public: row.purpose for public, row in rows.items()} == {WITHDRAW: Purpose.WITHDRAW, REST: Purpose.REST}
    for public, row in rows.items():
        assert unseal(row.sealed_secret, place=row.place).decode() == secret_of(public)
        assert row.activated_at is not None
        assert row.owner == "AA88 N84G WOAK NMOI"
        assert row.nonce > 10**18
    assert Snapshot.objects.filter(account=None, exchange="Test").count() == 2


def test_it_waits_for_who_approves_and_names_no_secret(asked, ben):
    assert asked.state == State.PENDING
    assert set(Credential.objects.values_list("request", "activated_at")) == {(asked.reference, None)}
    assert not Account.objects.filter(name="Real").exists()
    assert {each["public"] for each in asked.params["credentials"]} == {WITHDRAW, REST}
    for text in (str(asked.params), str(asked.touched), asked.title, *map(str, AuditEvent.objects.values_list("data"))):
        assert secret_of(REST)[:20] not in text
    assert yes(asked, ben).state == State.EXECUTED
    assert Credential.objects.filter(account__name="Real", activated_at__isnull=False).count() == 2


@pytest.mark.parametrize("end", ["cancelled", "rejected", "failed"])
def test_whatever_else_ends_it_wipes_the_secrets(asked, ana, ben, end):
    if end == "cancelled":
        cancel(asked.reference, actor=ana)
    elif end == "rejected":
        decide(
            asked.reference, member=ben, approved=False, digest=asked.digest, proof=people.proof(asked), reason="No."
        )
    else:
        Credential.objects.filter(public=WITHDRAW).update(removed_at=asked.created_at, sealed_secret="")
        yes(asked, ben)
    asked.refresh_from_db()
    assert asked.state == end
    assert set(Credential.objects.values_list("sealed_secret", flat=True)) == {""}
    assert not Credential.objects.filter(removed_at=None).exists()
    assert not Account.objects.filter(name="Real").exists()
    assert Connection.objects.count() == 0


def test_what_was_wiped_is_not_asked_again(asked, ana):
    cancel(asked.reference, actor=ana)
    params = Connect(
        "Test",
        "Real",
        Tier.PRO,
        tuple(proposing.named(row) for row in Credential.objects.all()),
    )
    with pytest.raises(Conflict, match="wiped"):
        propose(connect, actor=ana, params=params)
    assert "type the credentials again" in WIPED


REFUSED = {
    "a name that is taken": ({"name": "Main"}, "There is an Account named Main already", "name"),
    "no name": ({"name": ""}, "Give the Account a name", "name"),
    "an exchange that is not listed": ({"exchange": "Other"}, "The operator names no exchange", "exchange"),
    "nothing for the rest": ({"credentials": BOTH[:1]}, NO_REST, "rest_public"),
    "the same key twice": (
        {"credentials": (BOTH[1], replace(BOTH[1], label="Again"))}, refusals.TWICE, None,
    ),
    "two that withdraw": (
        {"credentials": (*BOTH, typed(Purpose.WITHDRAW, "SECOND-WITHDRAWING-PUBLIC"))}, "one key for withdrawals",
        "withdraw_public",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "said", "field"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_connected_leaves_nothing(ana, owner, keys, new_connection, given, said, field):
    keys.info["SECOND-WITHDRAWING-PUBLIC"] = info("withdraw-funds")
    for member in (ana, owner):
        with pytest.raises(Invalid, match=said) as refused:
            ask_to_connect(member, new_connection(**given))
        assert refused.value.field == field
    assert not Credential.objects.exists()
    assert not Connection.objects.exists()
    assert not ChangeRequest.objects.filter(operation="kraken.connect").exists()


def test_no_rest_key_that_reads_a_balance(ana, keys, new_connection):
    keys.info[REST]["permissions"] = ["modify-trades"]
    with pytest.raises(Invalid, match="None of the keys"):
        ask_to_connect(ana, new_connection())
    assert not Credential.objects.exists()


def test_a_trial_that_fails_asks_for_nothing(ana, keys, new_connection):
    keys.errors["", "GetApiKeyInfo"] = ["EGeneral:Temporary lockout"]
    with pytest.raises(Unavailable):
        ask_to_connect(ana, new_connection())
    assert not Credential.objects.exists()
    assert not ChangeRequest.objects.filter(operation="kraken.connect").exists()


@pytest.mark.parametrize("told", [[], "assets", {"error": ["EService:Unavailable"]}])
def test_an_exchange_that_does_not_say_what_is_traded(ana, owner, keys, new_connection, told):
    """It is read anew by each that connects; what is kept already is enough."""
    if isinstance(told, dict):
        keys.errors["", "Assets"] = told["error"]
    else:
        keys.results["Assets"] = told
    with pytest.raises(Unavailable) as refused:
        ask_to_connect(ana, new_connection())
    assert refused.value.message == refusals.NO_CATALOGUE
    assert not Credential.objects.exists()
    Snapshot.objects.filter(exchange="Test").delete()
    for part in ("assets", "pairs"):
        now = timezone.now()
        Snapshot.objects.create(exchange="Test", part=part, answer="{}", read_at=now, tried_at=now)
    assert ask_to_connect(owner, new_connection()).state == State.EXECUTED


def test_a_key_that_is_connected_already(owner, eve, new_connection):
    """Of another Account here, and of an Organization next door: who asks has shown that the secret is theirs."""
    ask_to_connect(owner, new_connection())
    for member in (owner, eve):
        with pytest.raises(Conflict) as refused:
            ask_to_connect(member, new_connection(name="Another"))
        assert refused.value.message == refusals.USED_HERE
    assert Connection.objects.count() == 1


def test_of_two_requests_for_one_key_the_later_fails_and_is_wiped(asked, ben, owner, new_connection):
    ask_to_connect(owner, new_connection(name="First"))
    assert yes(asked, ben).state == State.FAILED
    asked.refresh_from_db()
    assert asked.reason == refusals.USED_HERE
    assert set(Credential.objects.filter(request=asked.reference).values_list("sealed_secret", flat=True)) == {""}


def test_rows_of_another_request_are_not_taken(asked, owner):
    """A request names what was typed for it and nothing else, not even of the same Organization."""
    params = Connect("Test", "Mine", Tier.PRO, tuple(proposing.named(row) for row in waiting(asked)))
    with pytest.raises(Conflict, match="wiped"):
        propose(connect, actor=owner, params=params)
    assert {row.request for row in waiting(asked)} == {asked.reference}


def test_rows_of_next_door_are_not_taken(asked, eve):
    Credential.objects.update(request="")
    params = Connect(
        "Test",
        "Mine",
        Tier.PRO,
        tuple(proposing.named(row) for row in waiting(asked, "")),
    )
    with pytest.raises(Conflict, match="wiped"):
        propose(connect, actor=eve, params=params)


def waiting(change, request=None):
    return list(Credential.objects.filter(request=change.reference if request is None else request).order_by("pk"))


def test_an_account_of_next_door_is_not_connected_again(owner, eve, keys, new_connection):
    ask_to_connect(owner, new_connection())
    account = Account.objects.get(name="Real")
    Connection.objects.update(disconnected_at=account.created_at)
    Credential.objects.update(removed_at=account.created_at, sealed_secret="")
    with pytest.raises(NotFound):
        ask_to_connect(eve, new_connection(account=account))


def test_an_account_is_connected_again_to_the_same_account_there(owner, keys, new_connection):
    ask_to_connect(owner, new_connection())
    account = Account.objects.get(name="Real")
    with pytest.raises(Conflict):
        ask_to_connect(owner, new_connection(account=account))
    Connection.objects.update(disconnected_at=account.created_at)
    Credential.objects.update(removed_at=account.created_at, sealed_secret="")
    for said in keys.info.values():
        said["iban"] = "BB22 XXXX"
    with pytest.raises(Invalid, match="another account"):
        ask_to_connect(owner, new_connection(account=account))
    for said in keys.info.values():
        said["iban"] = "AA88 N84G WOAK NMOI"
    change = ask_to_connect(owner, new_connection(account=account, tier=Tier.PRO))
    assert change.state == State.EXECUTED
    found = Connection.objects.get(account=account)
    assert (found.disconnected_at, found.tier) == (None, Tier.PRO)
    assert Account.objects.filter(name="Real").count() == 1


def test_what_the_exchange_says_may_not_differ_from_what_was_agreed_to(asked, ben):
    Credential.objects.filter(public=WITHDRAW).update(permissions=["withdraw-funds", "modify-trades"])
    assert yes(asked, ben).state == State.FAILED
    asked.refresh_from_db()
    assert asked.reason == WIPED


def test_a_lock_lets_nobody_connect_alone(owner, new_connection):
    """P4: it is protected."""
    Policy.objects.filter(organization=owner.organization, workflow="initiate_withdrawal").update(is_locked=True)
    assert ask_to_connect(owner, new_connection()).state == State.PENDING


def test_the_approver_reads_what_each_key_may_and_what_to_beware_of(asked, keys):
    told = registry.of(connect).describe(asked)
    text = " ".join([told.sentence, *(str(fact.value) for fact in (*told.facts, *told.panel))])
    assert "Withdraw" in text
    assert "Create and modify orders" in text
    assert "127.0.0.1" in text
    assert WITHDRAW not in text
    assert told.notices == ()


WARNED = {
    "more than withdrawing": (WITHDRAW, {"permissions": ["withdraw-funds", "modify-trades"]}, "may do more than"),
    "a window on the withdrawing one": (WITHDRAW, {"nonceWindow": 5}, "has a nonce window"),
    "Withdraw on the rest": (REST, {"permissions": ["query-funds", "withdraw-funds"]}, "may withdraw"),
    "no allow-list": (REST, {"ipAllowlist": [""]}, "from any address"),
    "the whole world on it": (REST, {"ipAllowlist": ["0.0.0.0/0"]}, "from any address"),
    "an end far away": (REST, {"validUntil": "4102444800"}, ""),
    "an end that is near": (REST, {"validUntil": str(int(time.time()) + 86400)}, "It expires on"),
    "an end that is past": (REST, {"validUntil": "1500000000"}, "has expired"),
    "a query window": (REST, {"queryFrom": "1700000000"}, "query window"),
    "no ledger": (REST, {"permissions": ["query-funds"]}, "cannot read movements"),
}


@pytest.mark.parametrize(("public", "said", "warned"), WARNED.values(), ids=WARNED)
def test_the_approver_is_warned(ana, keys, new_connection, public, said, warned):
    keys.info[public] |= said
    told = registry.of(connect).describe(ask_to_connect(ana, new_connection()))
    titles = [notice.title for notice in told.notices]
    assert any(warned in title for title in titles) if warned else titles == []


def test_it_is_told_from_the_request_alone(asked, django_assert_num_queries):
    """What is agreed to is what its digest covers."""
    with django_assert_num_queries(0):
        registry.of(connect).describe(asked)

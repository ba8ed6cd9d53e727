"""Adding, replacing and removing a credential, and disconnecting: governed, protected, and with what is open said."""

import pytest
from django.utils import timezone

from accounts.models import Account
from policies import registry
from policies.changes import cancel, decide, propose
from policies.models import ChangeRequest, Policy, State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.asking import ask_to_add, ask_to_connect, ask_to_disconnect, open_orders
from portal.venues.kraken.connection.connections import DISCONNECTED
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.params import Disconnect, RemoveCredential
from portal.venues.kraken.connection.replacing import (
    HAS_ONE,
    LAST_ONE,
    NOT_THAT,
    OTHER_PURPOSE,
    add_credential,
    remove_credential,
)
from portal.venues.kraken.models import Connection, Credential, Purpose, Step, Withdrawal
from tests.factories import people
from tests.venues.kraken.connection.exchange import REST, WITHDRAW, info, typed

pytestmark = pytest.mark.django_db
NEW, OTHER = "NEW-PUBLIC-HALF", "OTHER-PUBLIC-HALF"


@pytest.fixture
def real(owner, new_connection, keys) -> Connection:
    """An Account that is connected; the exchange knows two more keys, one that withdraws and one for orders."""
    ask_to_connect(owner, new_connection())
    keys.info |= {NEW: info("withdraw-funds", "query-funds"), OTHER: info("modify-trades")}
    return Connection.objects.select_related("account").get(account__name="Real")


def of(connection, purpose) -> Credential:
    return Credential.objects.filter(account=connection.account, purpose=purpose).earliest("pk")


def counting(connection) -> set[str]:
    rows = Credential.objects.filter(account=connection.account, removed_at=None, activated_at__isnull=False)
    return set(rows.values_list("public", flat=True))


def removal(row) -> RemoveCredential:
    return RemoveCredential(row.account_id, "Real", row.pk, row.public, row.purpose)


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=people.proof(change))


def told(change) -> str:
    said = registry.get(change.operation).describe(change)
    return " ".join(
        [said.sentence, *(f"{fact.label}: {fact.value}" for fact in (*said.facts, *said.panel)),
         *(f"{notice.title} {notice.text}" for notice in said.notices)]
    )  # fmt: skip


def test_one_more_for_the_rest(real, owner):
    change = ask_to_add(owner, real, typed(Purpose.REST, OTHER))
    assert change.state == State.EXECUTED
    assert counting(real) == {WITHDRAW, REST, OTHER}


def test_the_one_that_is_replaced_is_forgotten_by_the_approval_that_brings_the_other(real, ana, ben):
    old = of(real, Purpose.WITHDRAW)
    change = ask_to_add(ana, real, typed(Purpose.WITHDRAW, NEW), replaces=old)
    assert change.state == State.PENDING
    assert counting(real) == {WITHDRAW, REST}
    assert "in place of one" in told(change)
    assert yes(change, ben).state == State.EXECUTED
    assert counting(real) == {NEW, REST}
    old.refresh_from_db()
    assert (old.sealed_secret, old.removed_at is not None) == ("", True)
    kinds = list(
        AuditEvent.objects.filter(kind__startswith="credential.").order_by("pk").values_list("kind", flat=True)
    )
    assert kinds == ["credential.removed", "credential.added"]


def test_a_request_that_is_taken_back_leaves_the_old_one_and_wipes_the_new(real, ana):
    change = ask_to_add(ana, real, typed(Purpose.WITHDRAW, NEW), replaces=of(real, Purpose.WITHDRAW))
    cancel(change.reference, actor=ana)
    assert counting(real) == {WITHDRAW, REST}
    assert Credential.objects.get(public=NEW).sealed_secret == ""


@pytest.mark.parametrize(
    ("public", "purpose", "replaced", "said"),
    [
        (NEW, Purpose.WITHDRAW, None, HAS_ONE),
        (NEW, Purpose.WITHDRAW, Purpose.REST, OTHER_PURPOSE),
        (OTHER, Purpose.REST, Purpose.REST, refusals.READS_NO_BALANCE),
        (REST, Purpose.REST, None, refusals.USED_HERE),
    ],
)
def test_what_cannot_be_added(real, owner, public, purpose, replaced, said):
    replaces = of(real, replaced) if replaced else None
    with pytest.raises((Invalid, Conflict)) as refused:
        ask_to_add(owner, real, typed(purpose, public), replaces=replaces)
    assert refused.value.message == said
    assert counting(real) == {WITHDRAW, REST}
    assert Credential.objects.count() == 2


def test_one_of_another_account_at_the_exchange(real, owner, keys):
    keys.info[OTHER]["iban"] = "BB11 ZZZZ"
    with pytest.raises(Invalid) as refused:
        ask_to_add(owner, real, typed(Purpose.REST, OTHER))
    assert refused.value.message == refusals.OTHER_ACCOUNT


def test_of_two_that_replace_the_same_the_later_is_stale(real, ana, owner, keys):
    old = of(real, Purpose.WITHDRAW)
    waiting = ask_to_add(ana, real, typed(Purpose.WITHDRAW, NEW), replaces=old)
    keys.info["THIRD"] = info("withdraw-funds")
    ask_to_add(owner, real, typed(Purpose.WITHDRAW, "THIRD"), replaces=old)
    waiting.refresh_from_db()
    assert waiting.state == State.STALE
    assert Credential.objects.get(public=NEW).sealed_secret == ""
    with pytest.raises(Conflict, match=NOT_THAT):
        ask_to_add(owner, real, typed(Purpose.WITHDRAW, NEW), replaces=old)


def test_an_account_can_do_without_withdrawing_but_not_without_reading(real, owner):
    ask_to_add(owner, real, typed(Purpose.REST, OTHER))
    propose(remove_credential, actor=owner, params=removal(of(real, Purpose.WITHDRAW)))
    assert counting(real) == {REST, OTHER}
    with pytest.raises(Invalid, match="None of the keys"):
        propose(remove_credential, actor=owner, params=removal(of(real, Purpose.REST)))
    propose(remove_credential, actor=owner, params=removal(Credential.objects.get(public=OTHER)))
    with pytest.raises(Conflict, match=LAST_ONE):
        propose(remove_credential, actor=owner, params=removal(of(real, Purpose.REST)))
    with pytest.raises(Conflict, match=NOT_THAT):
        propose(remove_credential, actor=owner, params=removal(of(real, Purpose.WITHDRAW)))


def test_disconnecting_forgets_every_secret_and_keeps_the_account(real, ana, ben):
    change = ask_to_disconnect(ana, real, orders=2)
    waiting = ask_to_add(ana, real, typed(Purpose.WITHDRAW, NEW), replaces=of(real, Purpose.WITHDRAW))
    assert yes(change, ben).state == State.EXECUTED
    assert counting(real) == set()
    assert set(Credential.objects.values_list("sealed_secret", flat=True)) == {""}
    real.refresh_from_db()
    assert real.disconnected_at is not None
    assert Account.objects.get(name="Real").venue == "kraken"
    waiting.refresh_from_db()
    assert waiting.state == State.STALE
    with pytest.raises(Conflict, match=DISCONNECTED):
        ask_to_disconnect(ana, real, orders=0)


def test_what_is_open_is_said_to_who_approves(real, ana):
    for number, step in enumerate((Step.HELD, Step.HELD, Step.INTENDED, Step.UNKNOWN)):
        sent = {"nonce": 1, "sent_at": timezone.now(), "credential": of(real, Purpose.WITHDRAW), "attempts": 1}
        Withdrawal.objects.create(
            account=real.account, reference=f"R{number}", asset="XXBT", decimals=10, amount_units=2, max_fee_units=1,
            fee_units=1, held_at=timezone.now(), step=step, **(sent if step == Step.UNKNOWN else {}),
        )  # fmt: skip
    text = told(ask_to_disconnect(ana, real, orders=3))
    assert "Withdrawals that wait: 2" in text
    assert "2 withdrawals may be on the way." in text
    assert "2 withdrawals would fail." in text
    assert "3 orders would stay open." in text
    assert "Open orders could not be read." in told(ask_again(ana, real))
    text = told(propose(remove_credential, actor=ana, params=removal(of(real, Purpose.WITHDRAW))))
    assert "can withdraw no more" in text
    assert "2 withdrawals may be on the way." in text


def ask_again(ana, real) -> ChangeRequest:
    cancel(ChangeRequest.objects.get(operation="kraken.disconnect").reference, actor=ana)
    return ask_to_disconnect(ana, real, orders=None)


@pytest.mark.parametrize(
    ("answer", "found"),
    [({"open": {"O1": {}, "O2": {}}}, 2), ({"open": {}}, 0), ({"open": []}, None), ([], None)],
)
def test_open_orders_are_counted_where_the_exchange_tells_them(real, keys, answer, found):
    keys.results["OpenOrders"] = answer
    assert open_orders(real.account_id) == found
    keys.errors["", "OpenOrders"] = ["EService:Unavailable"]
    assert open_orders(real.account_id) is None


def test_next_door_touches_nothing(real, eve):
    row = of(real, Purpose.WITHDRAW)
    with pytest.raises(NotFound):
        ask_to_add(eve, real, typed(Purpose.REST, OTHER))
    with pytest.raises(NotFound):
        propose(remove_credential, actor=eve, params=removal(row))
    with pytest.raises(NotFound):
        propose(disconnect, actor=eve, params=Disconnect(real.account_id, "Real"))
    assert counting(real) == {WITHDRAW, REST}


def test_a_lock_lets_nobody_do_any_of_it_alone(real, owner):
    """P4: each is protected."""
    Policy.objects.filter(organization=owner.organization, workflow="initiate_withdrawal").update(is_locked=True)
    asked = (
        ask_to_add(owner, real, typed(Purpose.REST, OTHER)),
        propose(remove_credential, actor=owner, params=removal(of(real, Purpose.WITHDRAW))),
        ask_to_disconnect(owner, real, orders=0),
    )
    assert {change.state for change in asked} == {State.PENDING}
    assert {change.operation for change in asked} == {
        registry.of(run).key for run in (add_credential, remove_credential, disconnect)
    }

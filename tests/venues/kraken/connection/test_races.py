"""Two who bring the same credential in at one moment: one of them has it, and the other's secret is gone."""

from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from portal.core.errors import Conflict
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.asking import ask_to_add, ask_to_connect
from portal.venues.kraken.connection.connecting import connect
from portal.venues.kraken.connection.params import Connect
from portal.venues.kraken.models import Connection, Credential, Purpose, Tier
from tests.factories import connection as made
from tests.factories import people
from tests.venues.conftest import together
from tests.venues.kraken.connection.exchange import info, typed

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_organizations_connect_one_key(owner, eve):
    """Their histories are two, so no lock orders them: the database says it last."""
    wanted = [
        (member, Connect(made.EXCHANGE, "Real", Tier.PRO, (made.proposed(row),)))
        for member in (owner, eve)
        for row in [made.credential(member.organization, Purpose.REST, public="SAME")]
    ]
    results = together(*(partial(propose, connect, actor=member, params=params) for member, params in wanted))
    done = [result for result in results if isinstance(result, ChangeRequest)]
    [refused] = [result for result in results if not isinstance(result, ChangeRequest)]
    assert [change.state for change in done] == [State.EXECUTED]
    assert isinstance(refused, Conflict)
    assert refused.message == refusals.USED_HERE
    assert Connection.objects.count() == 1
    assert Account.objects.filter(venue="kraken").count() == 1
    assert Credential.objects.get(activated_at__isnull=False).organization_id == done[0].organization_id


def test_two_approvals_at_one_moment_connect_it_once(ana, ben, cleo, new_connection, keys):
    change = ask_to_connect(ana, new_connection())

    def yes(member):
        return lambda: decide(
            change.reference, member=member, approved=True, digest=change.digest, proof=people.proof(change)
        )

    results = together(yes(ben), yes(cleo))
    states = [result.state for result in results if isinstance(result, ChangeRequest)]
    assert states
    assert set(states) == {State.EXECUTED}
    assert Connection.objects.count() == 1
    assert Credential.objects.filter(activated_at__isnull=False).count() == 2


def test_two_that_replace_one_at_one_moment(owner, new_connection, keys):
    ask_to_connect(owner, new_connection())
    real = Connection.objects.select_related("account").get()
    old = Credential.objects.get(purpose=Purpose.WITHDRAW)
    for public in ("FIRST", "SECOND"):
        keys.info[public] = info("withdraw-funds")
    results = together(
        *(
            lambda p=public: ask_to_add(owner, real, typed(Purpose.WITHDRAW, p), replaces=old)
            for public in ("FIRST", "SECOND")
        )
    )
    assert sum(isinstance(result, ChangeRequest) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert Credential.objects.filter(purpose=Purpose.WITHDRAW, removed_at=None).count() == 1
    old.refresh_from_db()
    assert old.sealed_secret == ""


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"purpose": Purpose.WITHDRAW, "public": "ANOTHER"}, "kraken_one_withdrawing_credential|account_id"),
        ({"purpose": Purpose.REST, "public": "SAME"}, "kraken_credential_in_one_account|public"),
    ],
)
def test_the_database_says_it_last(world, given, rule):
    now = timezone.now()
    made.credential(world.organization, Purpose.WITHDRAW, public="SAME", account=world.account, activated_at=now)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        made.credential(
            world.organization, given["purpose"], public=given["public"], account=world.account, activated_at=now
        )
    with pytest.raises(IntegrityError, match="kraken_active_credential_has_account"), transaction.atomic():
        made.credential(world.organization, Purpose.REST, activated_at=now)
    with pytest.raises(IntegrityError, match="kraken_removed_credential_has_no_secret"), transaction.atomic():
        made.credential(world.organization, Purpose.REST, removed_at=now)

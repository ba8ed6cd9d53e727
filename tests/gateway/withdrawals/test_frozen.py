"""What was agreed to and is not sent yet waits while it is frozen, and goes out afterwards (DESIGN §4)."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from policies.changes import decide
from policies.freezes.freeze import freeze
from policies.freezes.places import Place, with_destination
from policies.models import Freeze, State
from policies.workflows import Workflow
from portal.core.errors import Refused
from portal.treasury.withdrawals import cancel_withdrawal
from portal.venues.kraken.models import Step
from tests.factories import people

MONEY = Workflow.INITIATE_WITHDRAWAL


def frozen(real, *, hours=1, name="") -> Freeze:
    place = Place(MONEY, real.account.pk, real.account.name)
    if name:
        place = with_destination(place, name)
    return freeze(actor=real.world.members["ana"], place=place, hours=hours, reason="It was not us.")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "btc-cold"])
def test_what_is_agreed_and_not_yet_sent_waits_and_is_sent_afterwards(real, later, name):
    change = real.agreed()
    frozen(real, name=name)
    real.tend()
    assert (real.step(change), real.state(change), real.there()) == (Step.INTENDED, State.APPROVED, [])
    assert "is frozen until" in real.row(change).trouble
    assert real.proxy.requests("Withdraw") == []
    with later(timedelta(hours=1, seconds=1).total_seconds()):
        real.tend()
    assert (real.step(change), real.state(change), len(real.there())) == (Step.ACCEPTED, State.EXECUTED, 1)


@pytest.mark.django_db
def test_another_address_is_sent_to_all_the_same(real):
    change = real.agreed()
    frozen(real, name="eth-cold")
    real.tend()
    assert real.step(change) == Step.ACCEPTED


@pytest.mark.django_db
def test_frozen_it_can_still_be_taken_back(real, ana):
    change = real.agreed()
    frozen(real)
    owner = real.world.members["owner"]
    assert cancel_withdrawal(actor=owner, account_id=real.account.pk, reference=real.row(change).reference)
    assert real.step(change) == Step.RELEASED
    assert real.there() == []


@pytest.mark.django_db
def test_how_it_went_is_still_written_of_what_had_left(real):
    change = real.agreed()
    real.tend()
    frozen(real)
    real.tend()
    assert real.state(change) == State.EXECUTED
    with pytest.raises(Refused, match="is frozen until"):
        real.ask("1")


@pytest.mark.django_db(transaction=True)
def test_a_sender_waits_for_a_freeze_that_is_being_written_and_then_sends_nothing(real):
    """CR-17, never sent after the freeze has begun: whoever sends looks at it under the same lock."""
    change = real.agreed()

    def tend():
        try:
            real.tend()
        finally:
            connection.close()

    thread = Thread(target=tend)
    with transaction.atomic():
        frozen(real)
        thread.start()
        thread.join(0.5)
    thread.join()
    assert (real.step(change), real.there()) == (Step.INTENDED, [])
    assert real.proxy.requests("Withdraw") == []


@pytest.mark.django_db
def test_frozen_it_can_still_be_rejected(real, fay):
    change = real.agreed()
    frozen(real)
    proof = people.proof(change)
    decide(change.reference, member=fay, approved=False, digest=change.digest, proof=proof, reason="It is not ours.")
    assert (real.step(change), real.state(change), real.there()) == (Step.RELEASED, State.REJECTED, [])

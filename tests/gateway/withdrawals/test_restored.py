"""After an older backup was restored: what it had not sent yet may have been, and is looked for first."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import State
from portal.treasury.withdrawals import cancel_withdrawal
from portal.venues.kraken.models import Step

pytestmark = pytest.mark.django_db


def restored(kept: str) -> str:
    """The database as it was then; then what the operator does, and what that says."""
    transaction.savepoint_rollback(kept)
    out = StringIO()
    call_command("afterrestore", "--yes", stdout=out)
    return out.getvalue()


def test_what_was_agreed_and_sent_after_the_backup_is_found_and_not_sent_again(real):
    change = real.agreed()
    kept = transaction.savepoint()
    real.tend()
    assert "1 withdrawal will be looked for" in restored(kept)
    assert real.step(change) == Step.INTENDED
    real.tend()
    assert (real.step(change), real.state(change), len(real.there())) == (Step.ACCEPTED, State.EXECUTED, 1)
    assert len(real.proxy.requests("Withdraw")) == 1


def test_what_was_agreed_after_the_backup_is_found_once_it_is_approved_again(real):
    change = real.ask()
    kept = transaction.savepoint()
    real.approve(change)
    real.tend()
    restored(kept)
    real.approve(change)
    real.tend()
    assert (real.step(change), len(real.there()), real.row(change).refid) == (
        Step.ACCEPTED,
        1,
        real.there()[0]["refid"],
    )


def test_what_was_restored_is_looked_for_from_then_on_however_often_that_is_said(real, later):
    """R8: said once more after people have agreed again, what was sent before that is found all the same."""
    change = real.ask()
    kept = transaction.savepoint()
    real.approve(change)
    real.tend()
    restored(kept)
    with later(600):
        real.approve(change)
        call_command("afterrestore", "--yes", stdout=StringIO())
        real.tend()
    assert (real.step(change), len(real.there())) == (Step.ACCEPTED, 1)
    assert len(real.proxy.requests("Withdraw")) == 1


@pytest.mark.parametrize("way", ["the bot takes it back", "its key is revoked"])
def test_what_may_have_been_sent_is_not_given_back_before_it_was_looked_for(real, way):
    """R8: it would be asked for once more, and go out twice."""
    change = real.agreed()
    kept = transaction.savepoint()
    real.tend()
    restored(kept)
    bot = real.world.bot("treasury-bot")
    if way == "the bot takes it back":
        reference = real.row(change).reference
        assert not cancel_withdrawal(actor=bot.service_user, account_id=real.account.pk, reference=reference)
    else:
        ApiKey.objects.filter(pk=bot.key.pk).update(revoked_at=timezone.now(), slot=None, is_active=False)
        ask_unknown_again()
    assert (real.step(change), real.state(change)) == (Step.INTENDED, State.APPROVED)
    real.tend()
    assert (real.step(change), real.state(change), len(real.there())) == (Step.ACCEPTED, State.EXECUTED, 1)


def test_what_is_known_not_to_have_been_sent_goes_out_only_if_it_still_may(real):
    """The key was revoked while nobody knew whether it had gone out."""
    change = real.agreed()
    restored(transaction.savepoint())
    ApiKey.objects.filter(pk=real.world.bot("treasury-bot").key.pk).update(
        revoked_at=timezone.now(), slot=None, is_active=False
    )
    ask_unknown_again()
    assert (real.step(change), real.state(change)) == (Step.INTENDED, State.APPROVED)
    real.tend()
    assert (real.step(change), real.state(change)) == (Step.RELEASED, State.CANCELLED)
    assert (real.there(), real.proxy.requests("Withdraw")) == ([], [])


def test_what_was_not_sent_is_sent_after_a_look(real):
    change = real.agreed()
    restored(transaction.savepoint())
    real.tend()
    assert (real.step(change), len(real.there()), real.row(change).attempts) == (Step.ACCEPTED, 1, 1)


def test_what_two_could_be_is_for_people(real):
    change = real.agreed()
    kept = transaction.savepoint()
    real.tend()
    real.customer.result("everything", "Withdraw", asset="XBT", key="btc-cold", amount="1.25")
    restored(kept)
    real.tend()
    assert (real.step(change), real.state(change)) == (Step.UNKNOWN, State.APPROVED)


def test_an_exchange_that_is_away_is_said(real):
    real.agreed()
    with real.proxy.away():
        assert "cannot be listed" in restored(transaction.savepoint())

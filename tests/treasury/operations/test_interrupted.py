"""A run that is cut off between the exchange and our own books (security CR-13)."""

import pytest

from policies.changes import execute
from policies.models import State
from portal.core.errors import Unavailable
from portal.venues.paper.ledger.models import Entry
from portal.venues.paper.venue import PaperVenue
from tests.policies.conftest import events

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What a process that is killed leaves no time to handle."""


@pytest.mark.parametrize("how", ["killed", "no answer"])
def test_after_the_external_call_a_repeat_makes_one_transfer(ask, approve, ben, cleo, standing, monkeypatch, how):
    """CR-13: kill after the external call, run again: one transfer."""
    change = ask("2")
    approve(change, ben)
    free, _held = standing()
    entries = Entry.objects.count()
    send = PaperVenue.send_withdrawal
    sent: list[str] = []

    def sends(self, reference):
        # The exchange has done it, and remembers it under its reference; the first time we do not get to know.
        row = send(self, reference)
        sent.append(reference)
        if len(sent) == 1:
            raise Killed if how == "killed" else Unavailable("The exchange did not answer.")
        return row

    monkeypatch.setattr(PaperVenue, "send_withdrawal", sends)
    if how == "killed":
        with pytest.raises(Killed):
            approve(change, cleo)
    else:
        assert approve(change, cleo).state == State.APPROVED
    change.refresh_from_db()
    done = execute(change.reference) if change.state == State.APPROVED else approve(change, cleo)
    assert done.state == State.EXECUTED
    assert Entry.objects.count() == entries + 1
    assert standing() == (free, 0)
    assert events(change).count("change.executed") == 1
    assert sent == [change.withdrawal.reference] * 2


def test_the_same_reference_sends_once(ask, approve, ben, cleo, standing):
    """CR-13: asked again under the same reference, the exchange gives its first answer."""
    change = approve(ask("2"), ben, cleo)
    before = standing(), Entry.objects.count()
    PaperVenue().send_withdrawal(change.withdrawal.reference)
    assert (standing(), Entry.objects.count()) == before

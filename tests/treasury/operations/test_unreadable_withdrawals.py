"""A withdrawal asked in another version of the portal gives its hold back, and stops no other (DESIGN R5)."""

import pytest
import time_machine

from accounts.emergency_stop import stop
from policies import payload
from policies.changes import cancel, expire_due
from policies.models import ChangeRequest, State
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Unavailable
from portal.venues.paper.venue import PaperVenue


def of_another_version(change):
    change = ChangeRequest.objects.with_parties().get(pk=change.pk)
    change.params = {**change.params, "tier": "gold"}
    change.digest = payload.digest(change)
    change.save(update_fields=["params", "digest"])
    return change


def state(change) -> State:
    return State(ChangeRequest.objects.get(pk=change.pk).state)


def test_what_it_holds_is_given_back_from_its_own_row(ask, standing, treasury_bot):
    """fault rules-E."""
    free, held = standing()
    change = of_another_version(ask())
    with pytest.raises(Conflict, match="another version"):
        cancel(change.reference, actor=treasury_bot.service_user)
    assert (state(change), standing()) == (State.FAILED, (free, held))
    released = AuditEvent.objects.get(kind=EventKind.WITHDRAWAL_RELEASED)
    assert {name: released.data[name] for name in ("amount", "fee", "key")} == {
        "amount": "1.25", "fee": "0.00005", "key": "btc-cold",
    }  # fmt: skip


def test_the_brake_on_its_bot_holds(ask, standing, treasury_bot, owner):
    """fault rules-E."""
    before = standing()
    change, other = of_another_version(ask()), ask()
    stop.suspend_service_user(actor=owner, service_user=treasury_bot.service_user, reason="It has to stop.")
    assert (state(change), state(other), standing()) == (State.FAILED, State.CANCELLED, before)


def test_its_bot_can_ask_again_once_it_is_past_its_time(ask, standing):
    """fault rules-E: no bot could withdraw from that Account any more, and nothing expired behind it."""
    _, held = standing()
    change, other = of_another_version(ask()), ask()
    with time_machine.travel(other.expires_at, tick=False):
        third = ask()
        assert (state(change), state(other), third.state) == (State.FAILED, State.EXPIRED, State.PENDING)
        assert expire_due() == 0
        _, now = standing()
    assert now - held == 12_500_000_000


@pytest.mark.parametrize("sent", [True, False])
def test_approved_without_an_answer_the_venue_is_asked_before_the_brake_ends_it(
    ask, approve, ben, cleo, owner, standing, treasury_bot, monkeypatch, sent
):
    """fault rules-K."""
    free, held = standing()

    def no_answer(self, reference):
        raise Unavailable("The venue does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(PaperVenue, "send_withdrawal", no_answer)
        change = approve(ask(), ben, cleo)
    assert state(change) == State.APPROVED
    if sent:
        PaperVenue().send_withdrawal(change.withdrawal.reference)
    stop.suspend_service_user(actor=owner, service_user=treasury_bot.service_user, reason="It has to stop.")
    assert state(change) == (State.EXECUTED if sent else State.CANCELLED)
    assert standing()[1] == held
    assert (standing()[0] == free) is not sent

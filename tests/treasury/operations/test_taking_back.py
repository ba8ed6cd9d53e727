"""Withdrawals taken back: by whom, until when, and with what answer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from policies.changes import cancel
from policies.models import State
from portal.core.errors import Refused
from portal.treasury import withdrawals
from portal.venues.errors import UnknownReference
from portal.venues.types import Stage
from tests.treasury.conftest import HAD, VENUE, stage_of


def take_back(change, bot, world):
    return withdrawals.cancel_withdrawal(
        actor=bot.service_user, account_id=world.account.pk, reference=change.withdrawal.reference
    )


class TestTakingBack:
    def test_what_waits_is_cancelled_and_given_back(self, ask, treasury_bot, world, standing):
        change = ask()

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)
        assert stage_of(change) == Stage.CANCELED
        change.refresh_from_db()
        assert (change.state, change.ended_by) == (State.CANCELLED, "treasury-bot")

    def test_a_second_cancel_gives_the_first_answer(self, ask, treasury_bot, world, standing):
        change = ask()
        take_back(change, treasury_bot, world)

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)

    def test_what_was_sent_is_not_cancelled_and_says_so(self, ask, approve, ben, cleo, treasury_bot, world):
        change = approve(ask(), ben, cleo)

        assert take_back(change, treasury_bot, world) is False
        row = VENUE.withdrawal(change.withdrawal.reference)
        assert row.cancel_denied
        assert row.stage != Stage.CANCELED

    def test_what_has_expired_is_given_back_by_the_cancel(self, ask, treasury_bot, world, standing, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        time_machine.shift(timedelta(hours=72))

        assert take_back(change, treasury_bot, world) is True
        assert standing() == (HAD, 0)

    def test_references_of_others_are_unknown(self, ask, world, trading_bot, eve, treasury_bot):
        change = ask()
        theirs = world.bot("eve-bot")
        for actor, account_id, reference in (
            (treasury_bot.service_user, world.account.pk, "AAAAAAA-BBBBBB-CCCCCC"),
            (treasury_bot.service_user, theirs.service_user.account_id, change.withdrawal.reference),
            (trading_bot.service_user, world.account.pk, change.withdrawal.reference),
            (theirs.service_user, world.account.pk, change.withdrawal.reference),
            (eve, world.account.pk, change.withdrawal.reference),
        ):
            with pytest.raises(UnknownReference):
                withdrawals.cancel_withdrawal(actor=actor, account_id=account_id, reference=reference)
        change.refresh_from_db()
        assert change.state == State.PENDING

    def test_a_custodian_of_the_key_may_cancel_and_other_members_may_not(self, ask, owner, ben, standing):
        change = ask()
        with pytest.raises(Refused):
            cancel(change.reference, actor=ben)

        cancel(change.reference, actor=owner)

        assert standing() == (HAD, 0)

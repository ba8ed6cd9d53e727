"""What a drill claims of captured calls is so: they pass before the keys are lifted, and not after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiKey
from accounts.security import after_restore
from portal.api.protocol.envelope import Error
from portal.operating.backups import proving
from tests.api.calls import Wire
from tests.factories.world import Bot

pytestmark = pytest.mark.django_db


def used(bot: Bot, units: int, ago: timedelta) -> None:
    """The bot has called by such a clock, so long ago."""
    at = timezone.now() - ago
    ApiKey.objects.filter(pk=bot.key.pk).update(
        last_nonce=int(at.timestamp() * units), last_used_at=at, recent_nonces=[], floor_nonce=-1
    )


@pytest.mark.parametrize("ago", [timedelta(minutes=5), timedelta(days=40)])
@pytest.mark.parametrize("units", after_restore.CLOCKS)
def test_they_pass_before_and_are_refused_after(treasury_bot, units, ago):
    """fault operations-F8: whatever clock the bot counts by, and however old the backup is."""
    used(treasury_bot, units, ago)
    assert proving.passes_before()
    calls = proving.captured()
    assert calls
    after_restore.close_the_past(treasury_bot.service_user.organization)
    ours = [call for call in calls if call.call.key == treasury_bot.public]
    assert proving.refused(ours) == 1


def test_without_the_floor_it_is_said_that_nothing_is_proved(treasury_bot):
    used(treasury_bot, 10**9, timedelta(hours=1))
    calls = [call for call in proving.captured() if call.call.key == treasury_bot.public]
    with pytest.raises(proving.NotProved, match="answered as if it were new"):
        proving.refused(calls)


def test_a_call_is_signed_as_its_bot_signs_it(treasury_bot):
    used(treasury_bot, 10**9, timedelta(hours=1))
    (call,) = [call for call in proving.captured() if call.call.key == treasury_bot.public]
    wire = Wire(treasury_bot)
    answer = wire.read(wire.send("Balance", call.body, nonce=call.nonce))
    assert answer["error"] == []
    assert call.send() is Error.INVALID_NONCE


def test_a_key_that_may_call_from_some_addresses_is_tried_from_one_of_them(treasury_bot):
    used(treasury_bot, 10**9, timedelta(hours=1))
    bot = treasury_bot.service_user
    bot.ip_allow_list = ["10.9.8.0/24"]
    bot.save(update_fields=["ip_allow_list"])
    (call,) = [call for call in proving.captured() if call.call.key == treasury_bot.public]
    assert call.send() is None


def test_what_is_wrong_with_a_call_before_is_told(treasury_bot, monkeypatch):
    monkeypatch.setattr(proving, "signed", lambda _credential, nonce: Refused(nonce))
    with pytest.raises(proving.NotProved, match="should still pass here was refused"):
        proving.passes_before()


class Refused:
    def __init__(self, nonce: int) -> None:
        self.nonce = nonce

    def send(self) -> Error:
        return Error.INVALID_SIGNATURE


def test_keys_that_do_not_work_are_not_tried(world):
    ApiKey.objects.update(is_active=False)
    assert proving.captured() == []
    assert not proving.passes_before()

"""What a page shows in minutes of one zone is kept as it was, unless somebody typed something else."""

import re
from datetime import UTC, datetime

import pytest

from accounts.models import ApiKey, ServiceUser, User

pytestmark = pytest.mark.django_db
PAGE = "/service-users/trading-bot/change/"
# With parts of a second; in the hour that clocks in Berlin show twice; in the hour that they never show as a date.
INSTANTS = (
    datetime(2098, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
    datetime(2026, 12, 24, 18, 30, 59, 999_999, tzinfo=UTC),
    datetime(2030, 10, 27, 0, 30, 5, tzinfo=UTC),
    datetime(2030, 10, 27, 1, 30, 5, tzinfo=UTC),
)
NAMES = ("expires_at", "query_start", "query_end")


@pytest.fixture
def bot(trading_bot):
    return trading_bot.service_user


def keep(bot, expires_at, query_start, query_end):
    ApiKey.objects.filter(service_user=bot).update(expires_at=expires_at)
    ServiceUser.objects.filter(pk=bot.pk).update(query_start=query_start, query_end=query_end)


def kept(bot):
    bot.refresh_from_db()
    return ApiKey.objects.get(service_user=bot).expires_at, bot.query_start, bot.query_end


def opened(client, bot):
    """The form as a browser sends it back untouched."""
    text = client.get(PAGE).content.decode()
    sent = {"permissions": list(bot.permissions), "nonce_window": "0", "version": str(bot.version)}
    for name in (*NAMES, *(f"initial-{name}" for name in NAMES)):
        (tag,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', text.replace("<input type", "<input  type"))
        value = re.search(r'value="([^"]*)"', tag)
        sent[name] = value[1] if value else ""
    return sent


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("at", INSTANTS)
def test_an_unrelated_edit_moves_no_instant(client, owner, sign_in, bot, zone, at):
    """fault bots-expiry: seconds were lost, and an hour shown twice could not be sent back at all."""
    User.objects.update(time_zone=zone)
    before = (at, at.replace(year=2020), at.replace(year=2040))
    keep(bot, *before)
    sign_in(client, owner)
    answer = client.post(PAGE, {**opened(client, bot), "purpose": "Another one."})
    assert answer.status_code == 302, answer.content.decode()
    assert bot.purpose != "Another one."
    assert kept(bot) == before
    assert bot.purpose == "Another one."


def test_another_zone_chosen_meanwhile_moves_no_instant(client, owner, sign_in, bot):
    """fault bots-expiry"""
    before = (INSTANTS[0], INSTANTS[1].replace(year=2020), None)
    keep(bot, *before)
    sign_in(client, owner)
    form = opened(client, bot)
    User.objects.update(time_zone="Asia/Tokyo")
    assert client.post(PAGE, {**form, "purpose": "Another one."}).status_code == 302
    assert kept(bot) == before


def test_what_was_typed_counts(client, owner, sign_in, bot):
    """fault bots-expiry: and what was emptied is no more."""
    User.objects.update(time_zone="Europe/Berlin")
    keep(bot, INSTANTS[0], INSTANTS[1].replace(year=2020), INSTANTS[2])
    sign_in(client, owner)
    typed = {**opened(client, bot), "expires_at": "2099-01-31T13:00", "query_end": ""}
    assert client.post(PAGE, typed).status_code == 302
    assert kept(bot) == (datetime(2099, 1, 31, 12, tzinfo=UTC), INSTANTS[1].replace(year=2020), None)


def test_an_untouched_form_changes_nothing(client, owner, sign_in, bot):
    """fault bots-expiry"""
    keep(bot, *INSTANTS[:3])
    sign_in(client, owner)
    assert "Nothing would change." in client.post(PAGE, opened(client, bot)).content.decode()

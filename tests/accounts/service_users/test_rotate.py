"""A second key beside the first: asked for, revealed, overlapping, and the first one's end (DESIGN K5)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import Refusal, Spent
from accounts.emergency_stop.stop import end_overlap, revoke_key, suspend_service_user
from accounts.models import ApiKey, Custodian, ServiceUser
from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser, RotateKey
from accounts.service_users.rotate import replaceable, rotate_key
from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from policies.registry import get
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.accounts.conftest import called
from tests.accounts.service_users.pages import text_of

pytestmark = pytest.mark.django_db


def asked(bot, **fields) -> RotateKey:
    row = ServiceUser.objects.get(pk=bot.service_user.pk)
    params = RotateKey(
        service_user_id=row.pk,
        account_id=row.account_id,
        limits=limits_of(row),
        replaced=replaceable(row),
        overlap_hours=48,
        expires_at=timezone.now().replace(microsecond=0) + timedelta(days=90),
        acknowledged=True,
    )
    return replace(params, **fields)


def soon():
    return timezone.now().replace(microsecond=0) + timedelta(hours=1)


def rotated(owner, bot, **fields) -> lifecycle.Revealed:
    propose(rotate_key, actor=owner, params=asked(bot, **fields))
    new = ApiKey.objects.filter(service_user=bot.service_user).latest("pk")
    return lifecycle.reveal(new.pk, member=owner)


def test_both_keys_work_until_the_overlap_is_over(owner, trading_bot):
    """K5: to the instant, counted from the reveal; AP-9: two live keys for rotation."""
    now = timezone.now().replace(microsecond=0)
    with time_machine.travel(now, tick=False):
        new = rotated(owner, trading_bot)
        for public in (trading_bot.public, new.public):
            assert isinstance(called(public, 10), Spent)
    end = now + timedelta(hours=48)
    for moment, old in ((end - timedelta(microseconds=1), Spent), (end, None)):
        with time_machine.travel(moment, tick=False):
            answer = called(trading_bot.public, 20)
            assert isinstance(answer, Spent) if old else answer is Refusal.KEY
            assert isinstance(called(new.public, 21 if old else 22), Spent)


def test_until_it_is_revealed_nothing_happens_to_the_old_key(owner, trading_bot):
    """K2: and if nobody claims the new one, the old one simply goes on."""
    propose(rotate_key, actor=owner, params=asked(trading_bot, overlap_hours=0))
    assert isinstance(called(trading_bot.public, 10), Spent)
    with time_machine.travel(timezone.now() + timedelta(hours=73), tick=False):
        assert isinstance(called(trading_bot.public, 20), Spent)
        assert lifecycle.has_room(trading_bot.service_user)
        new = rotated(owner, trading_bot, overlap_hours=0)
        assert isinstance(called(new.public, 1), Spent)
        assert called(trading_bot.public, 30) is Refusal.KEY
    assert AuditEvent.objects.filter(kind="key.lapsed").count() == 1


@pytest.mark.parametrize("slot_is_given_back", [False, True])
def test_a_key_that_expired_unrevealed_stays_so_and_ends_no_other(
    client, owner, trading_bot, sign_in, slot_is_given_back
):
    """K5: what can never work replaces nothing, though its secret could still be claimed."""
    propose(rotate_key, actor=owner, params=asked(trading_bot, overlap_hours=0, expires_at=soon()))
    late = ApiKey.objects.filter(service_user=trading_bot.service_user).latest("pk")
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        if slot_is_given_back:
            propose(rotate_key, actor=owner, params=asked(trading_bot))

        with pytest.raises(Conflict, match="has expired"):
            lifecycle.reveal(late.pk, member=owner)

        assert isinstance(called(trading_bot.public, 20), Spent)
        sign_in(client, owner)
        page = text_of(client.get(reverse("accounts:service_user", args=["trading-bot"])))
        assert page.count("Reveal secret") == (1 if slot_is_given_back else 0)


def test_nonces_are_apart_and_never_reset(owner, trading_bot):
    """K5, AP-6: the new key begins at nought, and the old one's count stays where it was."""
    called(trading_bot.public, 10**18)
    new = rotated(owner, trading_bot)
    assert isinstance(called(new.public, 1), Spent)
    assert not isinstance(called(trading_bot.public, 10**18), Spent)
    assert ApiKey.objects.get(public=trading_bot.public).last_nonce == 10**18


def test_a_third_key_is_refused_and_says_why(owner, trading_bot):
    """K5, AP-9: two live keys at most."""
    rotated(owner, trading_bot)
    with pytest.raises(Conflict, match="has two keys"):
        propose(rotate_key, actor=owner, params=asked(trading_bot))
    old = ApiKey.objects.get(public=trading_bot.public)
    end_overlap(actor=owner, api_key=old, reason="It has to stop.")
    assert called(trading_bot.public, 99) is Refusal.KEY
    rotated(owner, trading_bot)
    assert ApiKey.objects.filter(service_user=trading_bot.service_user, is_active=True).count() == 2


@pytest.mark.parametrize("slot", [1, 2, 3, None])
def test_no_third_key_can_be_live_whatever_the_code_does(owner, trading_bot, slot):
    """AP-9: the database says it last."""
    rotated(owner, trading_bot)
    third = ApiKey.objects.get(public=trading_bot.public)
    third.pk, third.public, third.slot = None, "Z" * 56, slot
    with pytest.raises(IntegrityError), transaction.atomic():
        third.save(force_insert=True)


def test_ending_early_is_a_brake_and_cancels_nothing(client, ana, owner, treasury_bot, sign_in):
    """R5: a key that is rotated out is not revoked."""
    called(treasury_bot.public, 1)
    rotated(owner, treasury_bot)
    page = f"/service-users/treasury-bot/keys/{treasury_bot.public}/end/"
    sign_in(client, ana)
    assert "Stop it now" not in text_of(client.get("/service-users/treasury-bot/"))
    assert "Only custodians" in text_of(client.post(page, {"reason": "Now."}, follow=True))
    client = Client()
    sign_in(client, owner)
    assert "Stop it now" in text_of(client.get("/service-users/treasury-bot/"))
    assert "has stopped" in text_of(client.post(page, {"reason": "The bot has the new one."}, follow=True))
    old = ApiKey.objects.get(public=treasury_bot.public)
    assert (old.revoked_at, old.has_expired) == (None, True)
    assert called(treasury_bot.public, 2) is Refusal.KEY
    assert "Rotated out" in text_of(client.get("/service-users/treasury-bot/"))
    assert "has stopped already" in text_of(client.post(page, {"reason": "Again."}, follow=True))
    assert AuditEvent.objects.get(kind="key.overlap_ended").actor_label == "Olive Marsh"


def test_only_a_key_that_is_rotating_out_ends_early(owner, eve, ben, trading_bot):
    for actor, error in ((owner, Conflict), (ben, Refused), (eve, NotFound)):
        with pytest.raises(error):
            end_overlap(actor=actor, api_key=trading_bot.key, reason="It has to stop.")
    assert isinstance(called(trading_bot.public, 1), Spent)


def test_ana_asks_ben_approves_ana_reveals(client, ana, ben, trading_bot, sign_in, fresh):
    """K5: governed, and the change names the custodian it adds."""
    sign_in(client, ana)
    answer = client.post("/service-users/trading-bot/rotate/", {"overlap_days": "3", "expires_at": "2099-01-31T12:00"})
    change = ChangeRequest.objects.get(state=State.PENDING)
    assert answer.url == reverse("policies:request", args=[change.reference])
    told = get(change.operation).describe(change)
    assert "The old one stops 3 days after the new one is revealed." in told.sentence
    said = {fact.label: str(fact.value) for fact in told.facts}
    assert said["Old key"] == trading_bot.key.short
    assert "can never approve" in said["Custodian"]
    assert "trade what the Account holds" in said["At worst"]
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    new = ApiKey.objects.filter(service_user=trading_bot.service_user).latest("pk")
    assert (new.made_by, new.overlap_hours, new.is_active) == (ana, 72, False)
    assert Custodian.objects.get(api_key=new).reason == "rotated it in"
    text = text_of(client.get("/service-users/trading-bot/"))
    assert "Reveal secret" in text
    assert "stops 3 days after the new one is revealed" in text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"overlap_days": "8"}, "8 is not one of the available choices"),
        ({"overlap_days": "-1"}, "is not one of the available choices"),
        ({"overlap_days": "x"}, "is not one of the available choices"),
        ({"expires_at": "2020-01-01T00:00"}, "The expiry has passed already."),
        ({"expires_at": "soon"}, "Enter a valid date/time."),
        ({"expires_at": "", "acknowledged": ""}, "Tick this, or give the key an expiry"),
    ],
)
def test_bad_input_is_answered_beside_its_field(client, owner, treasury_bot, sign_in, wrong, said):
    sign_in(client, owner)
    good = {"overlap_days": "2", "expires_at": "2099-01-31T12:00", "acknowledged": "on"}
    answer = client.post("/service-users/treasury-bot/rotate/", {**good, **wrong})
    assert answer.status_code == 200
    assert said in text_of(answer)
    assert ApiKey.objects.filter(service_user=treasury_bot.service_user).count() == 1


@pytest.mark.parametrize("hours", [-1, 169])
def test_an_overlap_beyond_a_week_is_refused_whatever_a_form_says(owner, trading_bot, hours):
    with pytest.raises(Invalid):
        propose(rotate_key, actor=owner, params=asked(trading_bot, overlap_hours=hours))


def test_a_request_about_what_has_changed_is_refused(owner, trading_bot):
    params = asked(trading_bot)
    alter(owner, trading_bot, websocket=True)
    with pytest.raises(Conflict, match="was changed"):
        propose(rotate_key, actor=owner, params=params)


def test_a_suspended_bot_gets_no_key(owner, trading_bot):
    suspend_service_user(actor=owner, service_user=trading_bot.service_user, reason="It has to stop.")
    with pytest.raises(Conflict, match="Lift the suspension first"):
        propose(rotate_key, actor=owner, params=asked(trading_bot))


def test_a_bot_whose_key_is_revoked_gets_a_new_one(client, owner, trading_bot, sign_in):
    """A lost secret is no reason to make another bot."""
    revoke_key(actor=owner, api_key=trading_bot.key, reason="It has to stop.")
    sign_in(client, owner)
    text = text_of(client.get("/service-users/trading-bot/rotate/"))
    assert "New key for trading-bot" in text
    assert "The old key goes on" not in text
    client.post("/service-users/trading-bot/rotate/", {"expires_at": "2099-01-31T12:00"})
    assert ApiKey.objects.filter(service_user=trading_bot.service_user).latest("pk").is_claimable


def test_a_change_never_prolongs_a_key_that_is_rotating_out(owner, trading_bot):
    rotated(owner, trading_bot)
    alter(owner, trading_bot, expires_at=timezone.now() + timedelta(days=400))
    held = ApiKey.objects.filter(public=trading_bot.public)
    assert held.filter(expires_at=F("retires_at"), expires_at__lt=timezone.now() + timedelta(days=3)).exists()
    alter(owner, trading_bot, expires_at=timezone.now() + timedelta(hours=1))
    assert held.filter(expires_at__lt=timezone.now() + timedelta(hours=2)).exists()


def test_another_organizations_bot_cannot_be_rotated(client, eve, owner, trading_bot, sign_in):
    sign_in(client, eve)
    assert client.get("/service-users/trading-bot/rotate/").status_code == 404
    assert client.post(f"/service-users/trading-bot/keys/{trading_bot.public}/end/").status_code == 404
    with pytest.raises(NotFound):
        propose(rotate_key, actor=eve, params=asked(trading_bot))


@pytest.mark.parametrize("who", ["ben", "audit"])
def test_who_may_not_ask_is_told_so(client, world, trading_bot, sign_in, who):
    sign_in(client, world.members[who])
    assert client.get("/service-users/trading-bot/rotate/").status_code == 403
    assert client.post(f"/service-users/trading-bot/keys/{trading_bot.public}/end/").status_code == 403


def alter(owner, bot, **fields) -> None:
    row = ServiceUser.objects.get(pk=bot.service_user.pk)
    before = limits_of(row)
    params = ChangeServiceUser(row.pk, row.account_id, before, replace(before, **fields), acknowledged=True)
    propose(change_service_user, actor=owner, params=params)


@pytest.mark.django_db(transaction=True)
def test_of_rotations_at_the_same_moment_one_makes_a_key(race, owner, trading_bot):
    """K5: there is room for one more key, however many ask on connections of their own."""
    params = asked(trading_bot)
    answers = race(lambda _: propose(rotate_key, actor=owner, params=params), 4)
    made = [answer for answer in answers if isinstance(answer, ChangeRequest)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(made), len(refused)) == (1, 3), answers
    assert ApiKey.objects.filter(service_user=trading_bot.service_user).count() == 2


def test_when_the_old_key_stops_is_said_as_people_write_it(client, owner, trading_bot, sign_in):
    """fault pages-C5: `in 23 h .`"""
    rotated(owner, trading_bot)
    sign_in(client, owner)
    page = strip_tags(text_of(client.get(reverse("accounts:service_user", args=[trading_bot.service_user.name]))))
    assert re.search(r"The old key stops in \d+ (h|days?)\.", page)

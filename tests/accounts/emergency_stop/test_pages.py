"""The pages of the brakes: what they will do, why, a fresh factor; and who is told of them (security M3, pages A3)."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import grants
from accounts.emergency_stop import active, end_sessions, stop
from accounts.grants import Given
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import ApiKey, Organization, SecurityNotice, Session
from accounts.models.organization import SecondFactorLevel
from accounts.organizations import sign_in_rules
from accounts.organizations.settings import ChangeSecurity, change_security
from accounts.service_users.rotate import rotate_key
from policies.changes import propose
from policies.models import ChangeRequest
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Invalid, Refused
from tests.accounts.service_users.test_rotate import asked as rotation_of

pytestmark = pytest.mark.django_db
WHY = {"reason": "A stolen laptop."}


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def doors(ben, treasury_bot) -> dict[str, str]:
    bot, key = treasury_bot.service_user.name, treasury_bot.public
    return {
        "suspend_member": reverse("accounts:suspend_member", args=[ben.pk]),
        "end_sessions": reverse("accounts:end_member_sessions", args=[ben.pk]),
        "suspend_bot": reverse("accounts:suspend", args=[bot]),
        "pause": reverse("accounts:pause", args=[bot, key]),
        "revoke": reverse("accounts:revoke", args=[bot, key]),
    }


def has_struck(ben, treasury_bot) -> bool:
    ben.refresh_from_db()
    treasury_bot.service_user.refresh_from_db()
    return (
        ben.is_suspended
        or treasury_bot.service_user.suspended_at is not None
        or not ApiKey.objects.get(pk=treasury_bot.key.pk).is_active
        or not Session.objects.filter(member=ben).exists()
    )


@pytest.mark.parametrize("door", ["suspend_member", "end_sessions", "suspend_bot", "pause", "revoke"])
def test_no_brake_by_an_hour_old_cookie_nor_without_a_reason(
    client, owner, ben, treasury_bot, doors, door, sign_in, code
):
    """fault security-M3, pages-A3: a page says what it will do, and asks why and for a factor of these minutes."""
    sign_in(Client(), ben)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=6))
        shown = client.get(doors[door])
        page, why = text_of(shown), {**WHY, "shown": getattr(shown.context["form"], "shown", "")}
        assert "Authentication code" in page
        assert "Told" in page
        assert "Authentication code" in text_of(client.post(doors[door], why))
        assert not has_struck(ben, treasury_bot)
        answer = text_of(client.post(doors[door], {**why, "reason": " ", "code": code(owner)}))
        assert "Say why" in answer
        assert not has_struck(ben, treasury_bot)
        assert client.post(doors[door], {**why, "code": code(owner)}).status_code == 302
        assert has_struck(ben, treasury_bot)


def test_the_page_says_what_ends_who_lifts_it_and_when_it_lapses(client, ana, ben, cleo, sign_in, doors):
    """fault pages-A3."""
    sign_in(Client(), ben)
    sign_in(client, ana)
    page = text_of(client.get(doors["suspend_member"]))
    assert "one session ends" in page
    assert "nothing waits that they asked for" in page
    assert "Ends by itself" in page
    assert "Cleo Novak" in page
    member = client.get(reverse("accounts:member", args=[ben.pk])).content.decode()
    assert f'href="{doors["suspend_member"]}"' in member


def test_the_suspended_and_all_approvers_are_told_with_the_reason(client, mailed, ana, ben, cleo, fay, owner, sign_in):
    """fault security-M3, pages-A3: by mail and on the pages."""
    mails = mailed(lambda: stop.suspend_member(actor=ana, member=ben, reason="A stolen laptop."))
    told = {mail.to[0]: mail for mail in mails}
    assert set(told) == {member.user.email for member in (ben, cleo, fay, owner)}
    assert "You were suspended in Demo Treasury" in told[ben.user.email].body
    assert "A stolen laptop." in told[ben.user.email].body
    assert "Ana Ruiz suspended Ben Adeyemi" in told[cleo.user.email].body
    assert reverse("accounts:active_stops") in told[cleo.user.email].body
    sign_in(client, cleo)
    inbox = text_of(client.get(reverse("policies:inbox")))
    assert "Stopped now" in inbox
    assert "Ana Ruiz suspended Ben Adeyemi" in inbox


def test_several_within_a_minute_are_told_loudly_and_once(ana, cleo, treasury_bot, trading_bot, readonly_bot):
    """fault security-M3."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
        stop.pause_key(actor=ana, api_key=trading_bot.key, reason="It has to stop.")
        stop.pause_key(actor=ana, api_key=readonly_bot.key, reason="It has to stop.")
        kinds = list(SecurityNotice.objects.filter(user=cleo.user).order_by("pk").values_list("kind", flat=True))
        assert kinds == ["stop_pulled", "many_stops"]
        clock.shift(timedelta(seconds=61))
        stop.suspend_service_user(actor=ana, service_user=trading_bot.service_user, reason="It has to stop.")
        assert SecurityNotice.objects.filter(user=cleo.user).latest("pk").kind == "stop_pulled"


def test_sessions_are_ended_once_in_ten_minutes_for_each_pair(client, ana, ben, cleo, owner, sign_in):
    """fault security-M3: 1,533 posts in 20 seconds kept the Owner out."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        end_sessions.end_of(owner, by=ana, reason="It has to stop.")
        clock.shift(timedelta(minutes=3))
        sign_in(client, owner)
        clock.shift(timedelta(minutes=3))
        with pytest.raises(Refused, match="less than ten minutes ago"):
            end_sessions.end_of(owner, by=ana, reason="It has to stop.")
        assert Session.objects.filter(member=owner).exists()
        end_sessions.end_of(ben, by=ana, reason="It has to stop.")
        clock.shift(timedelta(minutes=5))
        end_sessions.end_of(owner, by=ana, reason="It has to stop.")


def test_nobody_takes_turns_at_it_with_who_has_signed_in_since(client, world, ana, owner, cleo, sign_in):
    """fault security-M3: two who may, one after the other."""
    sign_in(client, cleo)
    end_sessions.end_of(cleo, by=ana, reason="It has to stop.")
    sign_in(client, cleo)
    with pytest.raises(Refused, match="signed in since"):
        end_sessions.end_of(cleo, by=owner, reason="It has to stop.")


def test_whoever_signs_in_after_the_page_was_shown_is_not_meant(client, ana, ben, sign_in, doors):
    """fault security-M3."""
    second = Client()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, ana)
        shown = client.get(doors["end_sessions"]).context["form"].shown
        clock.shift(timedelta(seconds=30))
        sign_in(second, ben)
        answer = text_of(client.post(doors["end_sessions"], {**WHY, "shown": shown}))
        assert "has signed in since" in answer
        assert "A stolen laptop." in answer
        assert Session.objects.filter(member=ben).exists()
    assert not AuditEvent.objects.filter(kind="session.ended", actor_id=ana.pk).exists()


@pytest.mark.parametrize("shown", [{}, {"shown": ""}, {"shown": "forged"}, {"shown": "é:é:é"}])
def test_nobody_leaves_out_when_the_page_was_shown(client, ana, ben, sign_in, doors, shown):
    """Without it the portal could not see that somebody has signed in since: it must not end their session unseen."""
    sign_in(Client(), ben)
    sign_in(client, ana)
    answer = client.post(doors["end_sessions"], {**WHY, **shown})
    assert "Look at the sessions again" in text_of(answer)
    assert "A stolen laptop." in text_of(answer)
    assert Session.objects.filter(member=ben).exists()
    assert client.post(doors["end_sessions"], {**WHY, "shown": answer.context["form"].shown}).status_code == 302
    assert not Session.objects.filter(member=ben).exists()


@pytest.mark.parametrize("nothing", ["", "  "])
def test_no_brake_is_pulled_without_a_reason(owner, ben, treasury_bot, trading_bot, nothing):
    """Whoever is stopped must not be left to guess why, whatever road it came by (security M3)."""
    for pull in (
        lambda: stop.suspend_member(actor=owner, member=ben, reason=nothing),
        lambda: stop.suspend_service_user(actor=owner, service_user=treasury_bot.service_user, reason=nothing),
        lambda: stop.pause_key(actor=owner, api_key=treasury_bot.key, reason=nothing),
        lambda: stop.revoke_key(actor=owner, api_key=treasury_bot.key, reason=nothing),
        lambda: stop.end_overlap(actor=owner, api_key=trading_bot.key, reason=nothing),
        lambda: end_sessions.end_of(ben, by=owner, reason=nothing),
    ):
        with pytest.raises(Invalid, match="Say why"):
            pull()
    assert active.stops(owner.organization_id) == []
    assert ApiKey.objects.get(pk=treasury_bot.key.pk).is_active


def test_who_is_no_custodian_is_led_to_a_request(client, ana, treasury_bot, sign_in, doors):
    """fault rules-f: the same page says which of both it is."""
    sign_in(client, ana)
    assert "You are no custodian of it" in text_of(client.get(doors["revoke"]))
    client.post(doors["revoke"], WHY)
    change = ChangeRequest.objects.get(operation="accounts.revoke_key")
    assert change.note == "A stolen laptop."
    assert ApiKey.objects.get(pk=treasury_bot.key.pk).is_active


def test_a_revoked_key_says_when_it_ended_and_not_when_it_would_stop(client, owner, treasury_bot, sign_in):
    """fault pages-B14: rotated, then revoked."""
    tomorrow = timezone.now() + timedelta(days=1)
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(retires_at=tomorrow, expires_at=tomorrow)
    sign_in(client, owner)
    page = reverse("accounts:service_user", args=["treasury-bot"])
    assert "Stops" in text_of(client.get(page))
    stop.revoke_key(actor=owner, api_key=treasury_bot.key, reason="It has to stop.")
    text = text_of(client.get(page))
    assert "Stops" not in text
    assert "Ended" in text


def _rights(owner, ben, bot):
    held = grants.of(ben)
    return propose(
        change_rights,
        actor=owner,
        params=ChangeRights(ben.pk, held, grants.ordered((*held, Given(Workflow.MANAGE_ACCESS, Right.EXECUTE)))),
    )


def _key(owner, ben, bot):
    return propose(rotate_key, actor=owner, params=rotation_of(bot))


def _level(owner, ben, bot):
    now = sign_in_rules.of(owner.organization)
    before = replace(now, level=SecondFactorLevel.PASSKEY)
    Organization.objects.filter(pk=owner.organization_id).update(second_factor_level=before.level)
    params = ChangeSecurity(before=before, after=now)
    return propose(change_security, actor=owner, params=params)


@pytest.mark.parametrize("act", [_rights, _key, _level])
def test_power_that_one_person_gives_at_once_is_told_to_all_who_look(owner, ben, treasury_bot, mailed, act):
    """fault pages-B22, the brothers: rights, a key that may withdraw, a weaker sign-in rule."""
    mails = mailed(lambda: act(owner, ben, treasury_bot))
    alone = {message.to[0] for message in mails if "did this alone" in message.subject}
    assert alone == {f"{short}@demo.test" for short in ("ana", "ben", "cleo", "fay", "audit")}

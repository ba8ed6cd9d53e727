"""The page of one Service User: who may see and do what there, the brakes, and what lifts them."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.factors import totp
from accounts.models import ApiKey, User
from accounts.organizations.founding import add_member
from policies.models import ChangeRequest, State
from policies.registry import get
from portal.audit.models import AuditEvent
from tests.accounts.service_users.pages import NEW, WHY, page, text_of
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["ben", "audit"])
def test_who_may_not_ask_is_told_so(client, world, sign_in, new_bot, who):
    sign_in(client, world.members[who])
    for answer in (
        client.get(NEW),
        client.post(NEW, new_bot),
        client.get(page(act="change")),
        client.post(page(act="suspend")),
        client.post(page(act="remove")),
    ):
        assert answer.status_code == 403
    # Who approves may ask to lift a suspension (DESIGN §4).
    assert client.post(page(act="lift")).status_code == (403 if who == "audit" else 200)
    assert AuditEvent.objects.filter(kind="access.denied").count() == (6 if who == "audit" else 5)
    text = text_of(client.get(page()))
    assert "Suspend</button>" not in text
    assert "New service user" not in text_of(client.get("/service-users/"))


def test_a_stranger_to_the_workflow_sees_nothing(client, world, sign_in):

    user = User.objects.create_user("nobody@demo.test", PASSWORD, name="Nobody Yet")
    totp.enrol(user, totp.offer(user.email))
    sign_in(client, add_member(world.organization, user, rights=[]))
    for path in ("/service-users/", page(), "/members/"):
        assert client.get(path).status_code == 403


def test_another_organizations_bot_does_not_exist(client, eve, trading_bot, sign_in):
    """O1: by any road."""
    sign_in(client, eve)
    for answer in (
        client.get(page("trading-bot")),
        client.get(page("trading-bot", "change")),
        client.post(page("trading-bot", "suspend")),
        client.post(page("trading-bot", "lift")),
        client.post(page("trading-bot", "remove")),
        client.post(page("trading-bot", f"keys/{trading_bot.public}/reveal")),
        client.post(page("trading-bot", f"keys/{trading_bot.public}/revoke")),
        client.post(page("eve-bot", f"keys/{trading_bot.public}/revoke")),
    ):
        assert answer.status_code == 404
    assert "trading-bot" not in text_of(client.get("/service-users/"))
    assert ApiKey.objects.get(pk=trading_bot.key.pk).revoked_at is None


def test_the_page_says_what_the_bot_may_do_and_who_has_its_power(client, audit, treasury_bot, sign_in):
    sign_in(client, audit)
    text = text_of(client.get(page()))
    assert text.count('<li class="has') == 10
    assert "moves money" in text
    assert treasury_bot.key.short in text
    assert treasury_bot.public not in text
    assert "Olive Marsh" in text
    assert "any address" in text


def test_suspending_is_a_brake(client, ana, trading_bot, sign_in):
    """§4: at once, for whoever may ask; lifting has to be approved."""
    sign_in(client, ana)
    assert client.post(page("trading-bot", "suspend"), WHY).status_code == 302
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.suspended_at is not None
    text = text_of(client.get(page("trading-bot")))
    assert "trading-bot is suspended." in text
    assert "is suspended already" in text_of(client.post(page("trading-bot", "suspend"), WHY, follow=True))
    client.post(page("trading-bot", "lift"))
    change = ChangeRequest.objects.get(state=State.PENDING)
    assert change.operation == "accounts.lift_suspension"
    assert "<b>trading-bot</b>" in get(change.operation).describe(change).sentence


def test_the_owner_lifts_and_removes_at_once(client, owner, trading_bot, sign_in):
    sign_in(client, owner)
    client.post(page("trading-bot", "suspend"), WHY)
    client.post(page("trading-bot", "lift"))
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.is_active
    client.post(page("trading-bot", "remove"))
    trading_bot.service_user.refresh_from_db()
    trading_bot.key.refresh_from_db()
    assert trading_bot.service_user.removed_at is not None
    assert trading_bot.key.revoked_at is not None
    text = text_of(client.get(page("trading-bot")))
    assert "trading-bot was removed." in text
    assert client.get(page("trading-bot", "change")).status_code == 404
    assert "Removed" in text_of(client.get("/service-users/"))


def test_revoking_is_a_brake_of_its_custodians(client, owner, trading_bot, sign_in):
    sign_in(client, owner)
    path = page("trading-bot", f"keys/{trading_bot.public}/revoke")
    client.post(path, WHY)
    trading_bot.key.refresh_from_db()
    assert trading_bot.key.revoked_at is not None
    assert AuditEvent.objects.get(kind="key.revoked").actor_label == "Olive Marsh"
    assert "is revoked already" in text_of(client.post(path, WHY, follow=True))
    assert "Revoked" in text_of(client.get(page("trading-bot")))


def test_who_must_not_ask_cannot_by_a_forged_post(client, ben, trading_bot, sign_in):
    sign_in(client, ben)
    assert client.post(page("trading-bot", f"keys/{trading_bot.public}/revoke")).status_code == 403
    trading_bot.key.refresh_from_db()
    assert trading_bot.key.is_active


def test_lifting_needs_a_second_factor_shown_lately(client, owner, trading_bot, sign_in):
    """SU-1."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        client.post(page("trading-bot", "suspend"), WHY)
        clock.shift(timedelta(minutes=6))
        for act in ("lift", "remove"):
            answer = client.post(page("trading-bot", act))
            assert answer.status_code == 200
            assert "Write the six digits" in text_of(answer)
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.suspended_at is not None


def test_the_list_takes_as_many_queries_for_many_as_for_few(client, owner, sign_in, new_bot):

    sign_in(client, owner)
    with CaptureQueriesContext(connection) as few:
        client.get("/service-users/")
    for number in range(6):
        client.post(NEW, {**new_bot, "name": f"bot-{number}"})
    client.get("/service-users/")
    with CaptureQueriesContext(connection) as many:
        text = text_of(client.get("/service-users/"))
    assert "bot-5" in text
    assert len(many) == len(few)

"""The page for a new Service User: allowed, refused, bad input, and what others read of what is asked."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Custodian, ServiceUser
from policies.changes import decide
from policies.models import ChangeRequest, State
from policies.registry import get
from tests.accounts.service_users.pages import NEW, ask, page, text_of

pytestmark = pytest.mark.django_db


def test_who_may_ask_and_execute_gets_the_bot_at_once(client, owner, sign_in, new_bot):
    """DESIGN K1, K2: it exists, its key waits to be revealed, and nobody has seen anything yet."""
    answer = ask(client, owner, sign_in, new_bot)
    assert answer.url == page("payroll-bot")
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert bot.permissions == ["query-funds", "withdraw-funds"]
    assert bot.ip_allow_list == ["203.0.113.0/28"]
    key = bot.keys.get()
    assert (key.is_active, key.revealed_at, key.made_by) == (False, None, owner)
    assert key.expires_at == datetime(2099, 1, 31, 12, tzinfo=UTC)
    assert Custodian.objects.get(api_key=key).member == owner
    assert "Reveal secret" in text_of(client.get(page("payroll-bot")))


def test_ana_asks_ben_approves_ana_reveals(client, ana, ben, sign_in, new_bot, fresh):
    """K2: the secret goes to the initiator alone, also when others approved."""
    answer = ask(client, ana, sign_in, new_bot)
    change = ChangeRequest.objects.get(state=State.PENDING)
    assert answer.url == reverse("policies:request", args=[change.reference])
    assert not ServiceUser.objects.filter(name="payroll-bot").exists()
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    assert key.made_by == ana
    reveal = page("payroll-bot", f"keys/{key.public}/reveal")
    assert "Reveal secret" in text_of(client.get(page("payroll-bot")))
    visitor = Client()
    sign_in(visitor, ben)
    assert "Reveal secret" not in text_of(visitor.get(page("payroll-bot")))
    assert visitor.post(reveal).status_code == 403
    assert "API secret" in text_of(client.post(reveal))


def test_the_owner_cannot_reveal_what_ana_asked_for(client, ana, owner, ben, sign_in, new_bot, fresh):
    ask(client, ana, sign_in, new_bot)
    change = ChangeRequest.objects.get(state=State.PENDING)
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    visitor = Client()
    sign_in(visitor, owner)
    answer = visitor.post(page("payroll-bot", f"keys/{key.public}/reveal"), follow=True)
    assert "no such key for you" in text_of(answer)
    assert ApiKey.objects.get(pk=key.pk).revealed_at is None


def test_the_request_says_in_words_what_the_bot_could_do(client, ana, sign_in, new_bot):
    """R7, AP-8: also that somebody means it to withdraw without an end."""
    ask(client, ana, sign_in, {**new_bot, "expires_at": "", "acknowledged": "on"})
    change = ChangeRequest.objects.get(state=State.PENDING)
    told = get(change.operation).describe(change)
    assert "<b>Ana Ruiz</b> asks to create the service user <b>payroll-bot</b> for <b>Main</b>" in told.sentence
    assert "may <b>withdraw</b>" in told.sentence
    assert {fact.label: str(fact.value) for fact in told.facts}["IP allow-list"] == "<code>203.0.113.0/28</code>"
    assert told.notices[0].title == "This key may withdraw and never expires."
    assert "ticked" in told.notices[0].text
    assert text_of(client.get(reverse("policies:request", args=[change.reference]))).count("payroll-bot") > 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "treasury-bot"}, "There is, or was, a treasury-bot in Demo Treasury."),
        ({"name": "Treasury-Bot"}, "There is, or was, a Treasury-Bot in Demo Treasury."),
        ({"name": "pay roll"}, "Letters, digits and hyphens"),
        ({"name": "new"}, "Letters, digits and hyphens"),
        ({"name": ""}, "This field is required."),
        ({"permissions": []}, "Choose at least one permission."),
        ({"permissions": ["everything"]}, "everything is not one of the available choices"),
        ({"expires_at": "2020-01-01T00:00"}, "The expiry has passed already."),
        ({"expires_at": "soon"}, "Enter a valid date/time."),
        ({"expires_at": "9999-12-31T23:59"}, "Choose a year from 2000 to 2199."),
        ({"query_start": "0001-01-01T00:00"}, "Choose a year from 2000 to 2199."),
        ({"query_start": "2026-02-01T00:00", "query_end": "2026-01-01T00:00"}, "The end must come after the start."),
        ({"nonce_window": "-1"}, "greater than or equal to 0"),
        ({"nonce_window": "9" * 30}, "less than or equal to"),
        ({"ip_allow_list": "203.0.113.0/28\n203.0.113.400"}, "Line 2: 203.0.113.400 is not an address; each part ends"),
        (
            {"ip_allow_list": "203.0.113.5/28"},
            "Line 1: 203.0.113.5/28 does not begin at its range. Write 203.0.113.0/28",
        ),
        ({"ip_allow_list": "203.0.113.0/33"}, "Line 1: 203.0.113.0/33 is not a range"),
        ({"ip_allow_list": "0.0.0.0/0"}, "Leave the list empty if you mean that."),
        ({"ip_allow_list": "::ffff:203.0.113.7"}, "is an IPv4 address in disguise. Write 203.0.113.7."),
        ({"purpose": "x" * 201}, "at most 200 characters"),
        ({"purpose": "trades\u202e"}, "Remove the invisible characters"),
        ({"expires_at": ""}, "Tick this, or give the key an expiry."),
        ({"ip_allow_list": ""}, "Tick this, or give the key an IP allow-list."),
        ({"account": "999999"}, "not one of the available choices"),
    ],
)
def test_bad_input_is_answered_beside_its_field(client, owner, sign_in, new_bot, wrong, said):
    answer = ask(client, owner, sign_in, {**new_bot, **wrong})
    assert answer.status_code == 200
    text = text_of(answer)
    assert said in text
    assert 'role="alert"' in text
    assert not ServiceUser.objects.filter(name="payroll-bot").exists()
    assert not ChangeRequest.objects.filter(state=State.PENDING).exists()


def test_several_things_can_be_wrong_at_once(client, owner, sign_in, new_bot):
    answer = ask(client, owner, sign_in, {**new_bot, "name": "treasury-bot", "ip_allow_list": "x", "expires_at": ""})
    text = text_of(answer)
    assert 'href="#id_name"' in text
    assert 'href="#id_ip_allow_list"' in text
    assert 'href="#id_acknowledged"' in text


def test_another_organizations_account_is_no_choice(client, world, owner, sign_in, new_bot):
    elsewhere = world.elsewhere.accounts.get()
    answer = ask(client, owner, sign_in, {**new_bot, "account": elsewhere.pk})
    assert "not one of the available choices" in text_of(answer)


def test_instants_are_typed_in_the_members_zone(client, owner, sign_in, new_bot):
    """K4: and kept in UTC."""
    owner.user.time_zone = "Asia/Kolkata"
    owner.user.save()
    ask(client, owner, sign_in, {**new_bot, "query_start": "2026-01-01T00:00"})
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert bot.query_start == datetime(2025, 12, 31, 18, 30, tzinfo=UTC)
    form = text_of(client.get(page("payroll-bot", "change")))
    assert 'value="2026-01-01T00:00"' in form


def test_making_one_needs_a_second_factor_shown_lately(client, owner, sign_in, new_bot, code):
    """SU-1: 5:01 later: asked again, and nothing that was typed is lost."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=5, seconds=1))
        assert "Authentication code" in text_of(client.get(NEW))
        answer = client.post(NEW, new_bot)
        assert answer.status_code == 200
        assert 'value="payroll-bot"' in text_of(answer)
        assert not ServiceUser.objects.filter(name="payroll-bot").exists()
        assert client.post(NEW, {**new_bot, "code": code(owner)}).status_code == 302


def test_a_mistake_elsewhere_does_not_use_up_the_code(client, owner, sign_in, new_bot, code):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=6))
        given = code(owner)
        client.post(NEW, {**new_bot, "name": "treasury-bot", "code": given})
        assert client.post(NEW, {**new_bot, "code": given}).status_code == 302


def test_a_bots_name_is_unique_whatever_a_form_says(trading_bot):

    bot = ServiceUser.objects.get(name="trading-bot")
    bot.pk, bot.name = None, "TRADING-bot"
    with pytest.raises(IntegrityError), transaction.atomic():
        bot.save(force_insert=True)

"""The pages about Service Users: allowed, refused, other Organization, bad input."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys.permission_catalogue import SERVED
from accounts.factors import totp
from accounts.models import ApiKey, Custodian, ServiceUser, User
from accounts.models.service_user import Permission
from accounts.organizations.founding import add_member
from policies.changes import decide
from policies.models import ChangeRequest, State
from policies.registry import get
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
WHY = {"reason": "A leaked secret."}
NEW = "/service-users/new/"


def page(name: str = "treasury-bot", act: str = "") -> str:
    return f"/service-users/{name}/{act + '/' if act else ''}"


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def ask(client, member, sign_in, form):
    sign_in(client, member)
    return client.post(NEW, form)


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


def test_the_form_says_what_will_happen(client, owner, ana, sign_in):
    sign_in(client, owner)
    text = text_of(client.get(NEW))
    assert "This happens at once." in text
    assert "Create service user</button>" in text
    assert "90 days from now would be" in text
    visitor = Client()
    sign_in(visitor, ana)
    text = text_of(visitor.get(NEW))
    assert "This will wait for 1 approval." in text
    assert "Ben Adeyemi, Cleo Novak, Fay Lindholm and Olive Marsh can give it." in text
    assert "Ask for approval</button>" in text


def test_a_starting_point_fills_the_form_and_is_forgotten(client, owner, sign_in, new_bot):
    """Copied, never referenced; and it works without any script."""
    sign_in(client, owner)
    text = text_of(client.get(f"{NEW}?from=treasury-script"))
    for value in ("query-funds", "add-funds", "withdraw-funds", "query-ledger"):
        assert f'value="{value}" checked' in text
    assert text.count(" checked") == 4
    assert 'value="Moves funds to approved addresses"' in text
    assert "send all that the Account holds to its approved addresses" in text
    assert "that takes the acknowledgement below" in text
    assert text.count('href="?from=') == 4
    assert text_of(client.get(f"{NEW}?from=nonsense")).count(" checked") == 0
    client.post(f"{NEW}?from=treasury-script", new_bot)
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert (bot.permissions, bot.purpose) == (["query-funds", "withdraw-funds"], "")


def test_the_form_proposes_ninety_days_and_shows_where_you_come_from(client, owner, sign_in):
    sign_in(client, owner)
    with time_machine.travel("2026-03-01 12:00:00Z", tick=False):
        sign_in(client, owner)
        text = text_of(client.get(NEW))
    assert 'value="2026-05-30T12:00"' in text
    assert "You come from 127.0.0.1." in text
    assert "10000 for ccxt and krakenex" in text
    assert "<code>WithdrawStatus</code>" in text


RISKS = [
    ({}, ["Choose what it may do"], ["acknowledgement"]),
    (
        {"permissions": ["query-funds"]},
        ["read what the Account holds and does, from anywhere and for ever"],
        ["acknow"],
    ),
    (
        {"permissions": ["withdraw-funds", "modify-trades"], "ip_allow_list": "203.0.113.0/28 127.0.0.1 2001:db8::/32"},
        [
            "send all",
            "trade what the Account holds at any price",
            "from 17 IPv4 addresses and 1 IPv6 network",
            "yours among them",
            "acknowledgement",
        ],
        [],
    ),
    (
        {"permissions": ["withdraw-funds"], "ip_allow_list": "10.0.0.0/8"},
        ["hardly a limit", "yours not among them"],
        [],
    ),
    ({"permissions": ["withdraw-funds"], "ip_allow_list": "x"}, ["cannot be read yet"], []),
    ({"permissions": ["nonsense"], "expires_at": "9" * 500}, ["Choose what it may do"], []),
    ({"permissions": ["query-funds"], "expires_at": "0001-01-01T00:00"}, ["for 1 day"], []),
]


@pytest.mark.parametrize(("given", "said", "unsaid"), RISKS)
def test_the_risk_line_follows_what_is_filled_in(client, ana, sign_in, given, said, unsaid):
    sign_in(client, ana)
    answer = client.get("/service-users/new/risk/", given)
    text = text_of(answer)
    assert "<html" not in text
    assert all(words in text for words in said), text
    assert not any(words in text for words in unsaid)


def test_the_risk_line_is_for_who_may_ask(client, audit, sign_in):
    sign_in(client, audit)
    assert client.get("/service-users/new/risk/").status_code == 403


def test_the_purpose_can_be_changed_and_approvers_read_it(client, ana, trading_bot, sign_in):
    sign_in(client, ana)
    bot = trading_bot.service_user
    text = text_of(client.get(page("trading-bot", "change")))
    assert "Giving it more power makes you its custodian." in text
    form = {"version": bot.version, "permissions": bot.permissions, "nonce_window": 0, "purpose": "Trades <b>BTC</b>"}
    client.post(page("trading-bot", "change"), form)
    change = ChangeRequest.objects.get(state=State.PENDING)
    told = get(change.operation).describe(change)
    assert [(row.field, str(row.after)) for row in told.changes] == [
        ("Purpose", "<q>Trades &lt;b&gt;BTC&lt;/b&gt;</q>")
    ]
    assert not any("more power" in notice.title for notice in told.notices)


def test_what_has_nothing_behind_it_is_marked(client, owner, sign_in):
    sign_in(client, owner)
    assert ">not served yet<" not in text_of(client.get(NEW))
    SERVED.remove(Permission.EXPORT)
    try:
        text = text_of(client.get(NEW))
    finally:
        SERVED.add(Permission.EXPORT)
    assert text.count(">not served yet<") == 1


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


def test_a_change_shows_before_and_after(client, ana, ben, trading_bot, sign_in, fresh):
    """R7: what differs, with what gives more power marked; whoever asked for more becomes a custodian."""
    sign_in(client, ana)
    form = text_of(client.get(page("trading-bot", "change")))
    assert form.count("checked") == 9
    asked = {
        "permissions": ["query-funds", "withdraw-funds"],
        "nonce_window": "0",
        "ip_allow_list": "203.0.113.7",
        "expires_at": "2099-01-31T12:00",
        "version": "1",
    }
    assert client.post(page("trading-bot", "change"), asked).status_code == 302
    change = ChangeRequest.objects.get(state=State.PENDING)
    told = get(change.operation).describe(change)
    changes = {row.field: (str(row.before), str(row.after), row.grows) for row in told.changes}
    assert changes["Withdraw"] == ("no", "yes", True)
    assert changes["Export data"] == ("yes", "no", False)
    assert changes["IP allow-list"] == ("any address", "<code>203.0.113.7</code>", False)
    assert "Query" not in changes
    assert {fact.label: fact.value for fact in told.panel}["Gains"] == "Withdraw"
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.permissions == ["query-funds", "withdraw-funds"]
    assert Custodian.objects.filter(api_key=trading_bot.key, member=ana, reason="widened it").exists()
    again = get(change.operation).describe(ChangeRequest.objects.get(pk=change.pk))
    assert again.changes == told.changes, "it still says what was agreed to, now that it is so"


def test_a_narrower_bot_makes_nobody_a_custodian(client, owner, ana, ben, trading_bot, sign_in, fresh):
    sign_in(client, ana)
    client.post(page("trading-bot", "change"), {"permissions": ["query-funds"], "nonce_window": "0", "version": "1"})
    change = ChangeRequest.objects.get(state=State.PENDING)
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert [row.member for row in Custodian.objects.filter(api_key=trading_bot.key)] == [owner]


def test_a_change_agreed_to_is_not_laid_over_another(client, ana, owner, ben, trading_bot, sign_in, fresh):
    """R6: what approvers were shown as before must still be so."""
    sign_in(client, ana)
    client.post(page("trading-bot", "change"), {"permissions": ["query-funds"], "nonce_window": "7", "version": "1"})
    change = ChangeRequest.objects.get(state=State.PENDING)
    visitor = Client()
    sign_in(visitor, owner)
    visitor.post(page("trading-bot", "change"), {"permissions": ["query-ledger"], "nonce_window": "0", "version": "1"})
    with pytest.raises(Conflict, match="stale"):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    change.refresh_from_db()
    assert change.state == State.STALE
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.permissions == ["query-ledger"]


def test_nothing_to_change_is_said(client, owner, sign_in):
    sign_in(client, owner)
    form = {
        "permissions": list(ServiceUser.objects.get(name="trading-bot").permissions),
        "nonce_window": "0",
        "version": "1",
    }
    assert "Nothing would change." in text_of(client.post(page("trading-bot", "change"), form))


def test_a_form_opened_before_another_change_overwrites_nothing(client, owner, trading_bot, sign_in):
    """R6: never a blind overwrite, also of what was done at once meanwhile."""
    sign_in(client, owner)
    version = str(trading_bot.service_user.version)
    client.post(
        page("trading-bot", "change"), {"permissions": ["query-funds"], "nonce_window": "0", "version": version}
    )
    everything = {"permissions": ["query-funds", "query-ledger"], "nonce_window": "0", "version": version}
    assert "was changed since you opened" in text_of(client.post(page("trading-bot", "change"), everything))
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.permissions == ["query-funds"]


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


def test_a_bots_name_is_unique_whatever_a_form_says(trading_bot):

    bot = ServiceUser.objects.get(name="trading-bot")
    bot.pk, bot.name = None, "TRADING-bot"
    with pytest.raises(IntegrityError), transaction.atomic():
        bot.save(force_insert=True)

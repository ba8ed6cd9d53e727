"""Changing a Service User by page: before and after, and never over what somebody else changed."""

import pytest
from django.test import Client

from accounts.models import Custodian, ServiceUser
from policies.changes import decide
from policies.models import ChangeRequest, State
from policies.registry import get
from portal.core.errors import Conflict
from tests.accounts.service_users.pages import page, text_of

pytestmark = pytest.mark.django_db


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

"""The most that a key may withdraw: a setting like the others, freely lowered, and more power once raised or lifted."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Custodian, ServiceUser
from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import Limits, check, grown, limits_of
from accounts.service_users.params import ChangeServiceUser, CreateServiceUser, RotateKey
from accounts.service_users.risk import at_worst, caps_in_words
from policies import payload
from policies.changes import decide, propose
from policies.models import ChangeRequest, Policy, State
from policies.registry import get
from portal.core.errors import Invalid
from tests.accounts.service_users.pages import NEW, ask, page, text_of
from tests.accounts.service_users.test_key_settings import TIGHT

CAPPED = replace(TIGHT, withdrawal_cap=Decimal(500), daily_cap=Decimal("2000.5"))
FIELDS = ("withdrawal_cap", "daily_cap")


def capped(limits: Limits, field: str, cap: Decimal | None) -> Limits:
    """Those limits, with one of `FIELDS` changed."""
    assert field in FIELDS
    return replace(limits, withdrawal_cap=cap) if field == "withdrawal_cap" else replace(limits, daily_cap=cap)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("wider", "narrower"), [(Decimal(5000), Decimal("0.01")), (None, Decimal(499)), (Decimal("2000.51"), Decimal(1))]
)
def test_a_cap_is_freely_lowered_and_more_power_once_raised_or_lifted(field, wider, narrower):
    """P4: K4 settings widen or narrow."""
    assert grown(CAPPED, capped(CAPPED, field, wider)) == {field}
    assert grown(CAPPED, capped(CAPPED, field, narrower)) == frozenset()
    assert grown(TIGHT, CAPPED) == frozenset()


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("cap", ["0", "-1", "0.001", "1E+30", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused_beside_its_field(field, cap):
    with pytest.raises(Invalid) as refused:
        check(capped(TIGHT, field, Decimal(cap)), acknowledged=False)
    assert refused.value.field == field


def test_the_greatest_that_a_rule_can_name_is_taken():
    check(replace(TIGHT, withdrawal_cap=Decimal(10**15), daily_cap=Decimal(10**15)), acknowledged=False)


@pytest.mark.parametrize("kind", [CreateServiceUser, ChangeServiceUser, RotateKey])
def test_requests_from_before_caps_were_there_can_still_be_read(kind):
    """R5: what was asked of a version before is not ended for what it does not say."""
    limits = {name: value for name, value in payload.encode(TIGHT).items() if name not in FIELDS}
    stored = {
        CreateServiceUser: {"name": "bot", "account_id": 1, "acknowledged": False, **limits},
        ChangeServiceUser: {
            "service_user_id": 1, "account_id": 1, "before": limits, "after": limits, "acknowledged": False,
        },
        RotateKey: {
            "service_user_id": 1, "account_id": 1, "limits": limits, "replaced": [], "overlap_hours": 0,
            "expires_at": None, "acknowledged": False,
        },
    }[kind]  # fmt: skip
    params = payload.decode(kind, stored)
    assert payload.encode(params) == stored
    read = params.after if isinstance(params, ChangeServiceUser) else params.limits
    assert (read.withdrawal_cap, read.daily_cap) == (None, None)


def test_a_cap_is_stored_with_the_request_that_sets_it():
    params = ChangeServiceUser(1, 1, TIGHT, CAPPED)
    stored = payload.encode(params)
    before, after = stored["before"], stored["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert "daily_cap" not in before
    assert after["daily_cap"] == "2000.5"
    assert payload.decode(ChangeServiceUser, stored) == params


@pytest.mark.django_db
def test_the_form_takes_both_and_keeps_them(client, owner, sign_in, new_bot):
    ask(client, owner, sign_in, {**new_bot, "withdrawal_cap": "500", "daily_cap": "2000.50"})
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert (bot.withdrawal_cap_hundredths, bot.daily_cap_hundredths) == (50_000, 200_050)
    text = text_of(client.get(page("payroll-bot")))
    assert "500 USD at once and 2,000.5 USD in 24 hours" in text
    form = text_of(client.get(page("payroll-bot", "change")))
    assert 'name="withdrawal_cap" value="500"' in form
    assert 'name="daily_cap" value="2000.5"' in form


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["0", "-1", "1,5", "0.001", "9" * 30, "1e5", "much"])
def test_what_cannot_be_a_cap_is_said_beside_the_field_and_nothing_typed_is_lost(
    client, owner, sign_in, new_bot, typed
):
    answer = ask(client, owner, sign_in, {**new_bot, "daily_cap": typed})
    assert answer.context["form"].errors.keys() == {"daily_cap"}
    assert f'value="{typed}"' in text_of(answer)
    assert not ServiceUser.objects.filter(name="payroll-bot").exists()


@pytest.mark.django_db
def test_without_a_cap_nothing_is_said_of_one(client, owner, sign_in, new_bot):
    ask(client, owner, sign_in, new_bot)
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert (bot.withdrawal_cap, bot.daily_cap) == (None, None)
    assert "Withdraws at most" not in text_of(client.get(page("payroll-bot")))


@pytest.mark.django_db
def test_the_risk_of_a_half_filled_form_says_the_caps(client, owner, sign_in):
    sign_in(client, owner)
    asked = {"permissions": "withdraw-funds", "withdrawal_cap": "500", "daily_cap": "nonsense"}
    text = text_of(client.get(reverse("accounts:key_risk"), asked))
    assert "It sends 500 USD at once at most." in text


def test_the_words_for_caps():
    assert caps_in_words(TIGHT, "USD") == ""
    assert "It sends 500 EUR at once and 2,000.5 EUR in 24 hours at most." in at_worst(CAPPED, "EUR")
    assert "at once" not in at_worst(replace(CAPPED, permissions=("query-funds",)), "EUR")


def to(bot, **caps):
    before = limits_of(bot)
    return ChangeServiceUser(bot.pk, bot.account_id, before, replace(before, **caps), acknowledged=True)


@pytest.mark.django_db
def test_a_request_shows_the_cap_before_and_after(ana, ben, treasury_bot, fresh):
    """R7: and raising it makes whoever asked a custodian."""
    bot = treasury_bot.service_user
    change = propose(change_service_user, actor=ana, params=to(bot, daily_cap=Decimal(1000)))
    rows = {row.field: (row.before, row.after, row.grows) for row in get(change.operation).describe(change).changes}
    assert rows == {"Most in 24 hours": ("no limit", "1,000 USD", False)}
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert not Custodian.objects.filter(api_key=treasury_bot.key, member=ana).exists()
    bot.refresh_from_db()
    change = propose(change_service_user, actor=ana, params=to(bot, daily_cap=None))
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert Custodian.objects.filter(api_key=treasury_bot.key, member=ana, reason="widened it").exists()


@pytest.mark.django_db
def test_a_lock_holds_whoever_raises_a_cap_and_nobody_who_lowers_it(owner, treasury_bot):
    """P4: raising or lifting it widens a key that may withdraw."""
    bot = treasury_bot.service_user
    Policy.objects.update(is_locked=True)
    assert propose(change_service_user, actor=owner, params=to(bot, daily_cap=Decimal(10))).state == State.EXECUTED
    bot.refresh_from_db()
    assert propose(change_service_user, actor=owner, params=to(bot, daily_cap=Decimal(9))).state == State.EXECUTED
    bot.refresh_from_db()
    raised = propose(change_service_user, actor=owner, params=to(bot, daily_cap=Decimal(11)))
    assert (raised.state, raised.approvals_required) == (State.PENDING, 2)
    assert ChangeRequest.objects.get(pk=raised.pk).is_open


@pytest.mark.django_db
def test_no_cap_is_nought_in_the_database(treasury_bot):
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceUser.objects.filter(pk=treasury_bot.service_user.pk).update(daily_cap_hundredths=0)


@pytest.mark.django_db
def test_the_page_for_a_new_one_says_in_what(client, owner, sign_in):
    sign_in(client, owner)
    assert "In USD, network fee included. Empty means no limit." in text_of(client.get(NEW))

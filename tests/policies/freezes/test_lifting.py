"""Lifting a freeze, and freezing for longer: requests of the frozen workflow, which no freeze stops (DESIGN §4)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account
from policies.changes import execute
from policies.freezes.governed import LONGEST
from policies.models import ChangeRequest, Freeze, State
from policies.rules.language import Rule
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from portal.jobs import mail
from tests.policies.conftest import again, ask_send, ask_tidy, no, yes
from tests.policies.freezes.conftest import ACCESS, MONEY, ask_lifting, ask_longer, frozen

pytestmark = pytest.mark.django_db


def later(**delta):
    return timezone.now() + timedelta(**delta)


@pytest.mark.parametrize("workflow", Workflow)
def test_each_workflow_lifts_its_own_by_its_own_policy_while_it_is_frozen(house, workflow):
    """P2 of the frozen workflow: asked for, approved and carried out although everything else there is not."""
    house.policy(workflow, 2)
    made = frozen(house.ana, workflow)
    change = ask_lifting(house.ana, made)
    assert (change.workflow, change.approvals_required, change.state) == (workflow, 2, State.PENDING)
    yes(change, house.ben)
    assert yes(change, house.cleo).state == State.EXECUTED
    made.refresh_from_db()
    assert (made.ended_at is not None, made.ended_by) == (True, "Ana")
    event = AuditEvent.objects.get(kind="freeze.lifted")
    assert (event.workflow, event.data["change"]) == (workflow, change.reference)


@pytest.mark.parametrize("workflow", Workflow)
def test_each_workflow_freezes_for_longer_by_its_own_policy(house, workflow, clock):
    house.policy(workflow, 1)
    made = frozen(house.ana, workflow)
    until = later(days=9)
    change = ask_longer(house.ana, made, until)
    assert yes(change, house.ben).state == State.EXECUTED
    made.refresh_from_db()
    assert (made.ends_at, made.extended_at) == (until, timezone.now())
    assert AuditEvent.objects.filter(kind="freeze.extended", workflow=workflow).exists()


def test_lifted_everything_goes_on_at_once(house):
    change = ask_tidy(house.ana)
    made = frozen(house.ana)
    yes(ask_lifting(house.ana, made), house.ben)
    assert yes(change, house.ben).state == State.EXECUTED


def test_what_two_froze_goes_on_once_both_are_lifted(house):
    change = ask_tidy(house.ana)
    first, second = frozen(house.ana), frozen(house.olive)
    yes(ask_lifting(house.ana, first), house.ben)
    with pytest.raises(Refused, match="is frozen until"):
        yes(change, house.ben)
    yes(ask_lifting(house.ana, second), house.ben)
    assert yes(change, house.ben).state == State.EXECUTED


def test_it_runs_at_once_by_execute_where_no_policy_asks_for_more(house, clock):
    """P2: as everything of that workflow does."""
    made = frozen(house.ana)
    assert ask_lifting(house.olive, made).state == State.EXECUTED


def test_while_any_policy_is_locked_lifting_never_runs_at_once_and_takes_the_largest_number(house):
    """P4: it gives back everybody's power there. Freezing for longer only takes power, and is not protected."""
    house.policy(Workflow.MANAGE_POLICIES, 3, locked=True)
    for workflow in (MONEY, ACCESS):
        made = frozen(house.olive, workflow)
        assert ask_lifting(house.olive, made).approvals_required == 3
        assert ask_longer(house.olive, made, later(days=5)).state == State.EXECUTED


def test_who_approves_there_may_ask_that_it_is_lifted_and_not_that_it_lasts_longer(house):
    made = frozen(house.ana)
    change = ask_lifting(house.ben, made)
    assert yes(change, house.cleo).state == State.EXECUTED
    made = frozen(house.olive)
    with pytest.raises(Refused, match="does not hold Initiate"):
        ask_longer(house.ben, made, later(days=5))
    with pytest.raises(Refused, match="does not hold Initiate"):
        ask_lifting(house.otto, made)


def test_one_no_ends_lifting_and_does_not_end_freezing_for_longer(house):
    """R5: what only takes power away goes on until too few are left to approve it."""
    made = frozen(house.olive)
    house.policy(ACCESS, 1)
    longer = ask_longer(house.ana, made, later(days=5))
    assert no(longer, house.ben).state == State.PENDING
    assert no(ask_lifting(house.ana, made), house.ben).state == State.REJECTED
    assert yes(longer, house.cleo).state == State.EXECUTED


def test_a_freeze_of_all_accounts_is_lifted_by_who_holds_the_right_for_all(house):
    """AZ-7: of withdrawals and addresses, a right for one Account neither asks nor approves what is about all."""
    house.policy(MONEY, 1)
    nell = house.member("nell", Right.INITIATE, workflows=(MONEY,), account=house.account)
    pia = house.member("pia", Right.APPROVE, workflows=(MONEY,), account=house.account)
    made = frozen(house.ana, MONEY)
    for member in (nell, pia):
        with pytest.raises(Refused):
            ask_lifting(member, made)
    change = ask_lifting(house.ana, made)
    assert change.account_id is None
    with pytest.raises(Refused, match="You cannot decide"):
        yes(change, pia)
    assert yes(change, house.ben).state == State.EXECUTED


def test_a_freeze_of_one_account_is_lifted_by_who_holds_the_right_there(house):
    house.policy(MONEY, 1)
    cold = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    nell = house.member("nell", Right.INITIATE, workflows=(MONEY,), account=cold)
    pia = house.member("pia", Right.APPROVE, workflows=(MONEY,), account=cold)
    made = frozen(nell, MONEY, cold)
    assert yes(ask_lifting(nell, made), pia).state == State.EXECUTED


def test_nothing_else_is_asked_of_all_accounts(house):
    """A withdrawal still names its Account."""
    with pytest.raises(Invalid, match="Choose an Account"):
        ask_send(type("Nowhere", (), {"account": type("No", (), {"pk": None})()})(), house.ana)


def test_one_of_another_organization_workflow_or_account_is_unknown(house, next_door):
    made = frozen(house.ana, MONEY, house.account)
    next_door.member("ida", Right.INITIATE)
    made.account_id = next_door.account.pk
    with pytest.raises(NotFound):
        ask_lifting(next_door.ida, made)
    made.account_id = None
    for ask in (ask_lifting, lambda member, freeze: ask_longer(member, freeze, later(days=5))):
        with pytest.raises(NotFound):
            ask(house.ana, made)
    made.workflow, made.account_id = ACCESS, None
    with pytest.raises(NotFound):
        ask_lifting(house.ana, made)


def test_what_has_ended_is_neither_lifted_nor_made_longer(house, clock):
    made = frozen(house.ana, hours=1)
    clock.shift(timedelta(hours=1))
    with pytest.raises(Conflict, match="has ended"):
        ask_lifting(house.ana, made)
    with pytest.raises(Conflict, match="has ended"):
        ask_longer(house.ana, made, later(days=5))


@pytest.mark.parametrize("until", [timedelta(hours=71), timedelta(hours=72), LONGEST + timedelta(minutes=1)])
def test_longer_is_more_than_it_has_left_and_at_most_thirty_days(house, clock, until):
    made = frozen(house.ana)
    with pytest.raises(Invalid) as caught:
        ask_longer(house.ana, made, timezone.now() + until)
    assert caught.value.field == "hours"
    assert not ChangeRequest.objects.filter(organization=house.organization).exists()


def test_what_was_agreed_of_a_freeze_that_ended_meanwhile_is_stale(house, clock):
    made = frozen(house.ana, hours=1)
    changes = [ask_lifting(house.ana, made), ask_longer(house.ana, made, later(days=5))]
    clock.shift(timedelta(hours=1))
    for change in changes:
        with pytest.raises(Conflict, match="stale"):
            yes(change, house.ben)
        assert again(change).state == State.STALE


def test_made_longer_by_others_it_is_not_lifted_by_a_yes_from_before(house, clock):
    """R6: who agreed to lift what would soon have ended by itself has not agreed to lift that."""
    made = frozen(house.ana)
    lifting = ask_lifting(house.ana, made)
    assert ask_longer(house.olive, made, later(days=5)).state == State.EXECUTED
    assert again(lifting).state == State.STALE
    assert Freeze.objects.get(pk=made.pk).ended_at is None


def test_made_longer_it_gives_back_the_place_of_who_froze(house, clock):
    made = frozen(house.ana)
    ask_longer(house.olive, made, later(days=5))
    frozen(house.ana, MONEY)


def test_who_agreed_and_approves_no_more_stops_it_as_everything_else(house):
    """R4: the freeze of Manage Access lifts nobody's suspension, and what they approved does not count."""
    house.policy(ACCESS, 2)
    made = frozen(house.ana)
    change = ask_lifting(house.ana, made)
    yes(change, house.ben)
    type(house.ben).objects.filter(pk=house.ben.pk).update(suspended_at=timezone.now())
    assert yes(change, house.cleo).state == State.PENDING
    with pytest.raises(Conflict):
        execute(change.reference)
    assert yes(change, house.fay).state == State.EXECUTED


def test_both_are_told_to_who_approves_and_to_who_froze_and_not_twice(house, mailoutbox):
    made = frozen(house.ana)
    mail.settle()
    mailoutbox.clear()
    ask_longer(house.olive, made, later(days=5))
    ask_lifting(house.olive, made)
    mail.settle()
    told = [message.subject for message in mailoutbox if message.to == [house.ben.user.email]]
    assert told == [
        "House: Olive prolonged the freeze of Manage Access",
        "House: Olive lifted the freeze of Manage Access",
    ]
    assert [message.to for message in mailoutbox].count([house.ana.user.email]) == 2
    assert not [message for message in mailoutbox if message.to == [house.olive.user.email]]


def test_rules_about_amounts_deny_no_lifting(house):
    """P7: it moves no amount: what is asked is the most that any rule could ask, and what one denies is no lifting."""
    rules = (Rule(approvals=1), Rule(approvals=2, amount=Decimal(1000)), Rule(deny=True, amount=Decimal(100_000)))
    house.policy(MONEY, 1, rules=rules)
    made = frozen(house.ana, MONEY)
    change = ask_lifting(house.ana, made)
    yes(change, house.ben)
    assert yes(change, house.cleo).state == State.EXECUTED

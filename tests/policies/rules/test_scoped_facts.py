"""What is gathered for one request says of it what all that there is would say."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.emergency_stop.lift_stops import lift_stops
from accounts.models import ApiKey
from accounts.service_users.reinstate_and_remove import lift_suspension
from policies import registry
from policies.changes.cancel_and_expire import may_cancel
from policies.changes.decisions import initiator_lack
from policies.models import ChangeRequest
from policies.operations.policy_words import freed_by_removal
from policies.registry import frees_nothing
from policies.rules import (
    NotGathered,
    Person,
    approvals_needed,
    eligible,
    is_met,
    lost_right,
    may_vouch,
    why_not,
)
from policies.rules.dead_ends import shortages, standstill
from policies.rules.effective_quorum import Target, strength
from policies.rules.spare_approvers import spare_people
from policies.rules.what_if import custodians_of, possible_initiators, prospect
from policies.snapshot import asked, gather
from policies.workflows import Workflow
from portal.core.errors import Refused
from tests.policies.anything import anything
from tests.policies.everything import everything

NOBODY = Person(0, 0, "")


def answer(ask):
    """What was answered, a refusal being an answer too."""
    try:
        return ask()
    except Refused as refused:
        return refused.message


def verdict(change, facts):
    """All that is decided about a request, in terms that hold no bot."""
    wanted = asked(change, facts)
    need = answer(lambda: approvals_needed(wanted, facts.policies))
    able = eligible(wanted, facts)
    entry = registry.get(change.operation)
    return (
        replace(wanted, initiator=NOBODY),
        wanted.initiator.name,
        getattr(wanted.initiator, "custodians", None),
        need,
        [
            (person.member_id, why_not(person, wanted, facts.level), may_vouch(person, wanted))
            for person in facts.people
        ],
        [person.member_id for person in able],
        None if isinstance(need, str) else is_met(need, able, wanted),
        lost_right(wanted.initiator, wanted.workflow, wanted.account_id, entry.permission),
        initiator_lack(change, wanted),
    )


def standing(facts):
    """What is said of the whole Organization: its dead ends, how strong it is, whom a page offers as who might ask."""
    found = [answer(lambda: shortages(facts)), answer(lambda: standstill(facts))]
    for workflow in Workflow:
        for account_id in facts.accounts if workflow.by_account else [None]:
            found.append(answer(lambda w=workflow, a=account_id: spare_people(facts, w, a)))
            found.append(answer(lambda w=workflow, a=account_id: strength(facts, Target(w, a))))
            for one in possible_initiators(facts, workflow, account_id):
                seen = answer(lambda w=workflow, a=account_id, o=one: prospect(facts, o, w, a))
                found.append((one.name, seen if isinstance(seen, str) else (seen.need, seen.people, seen.is_possible)))
        freed = freed_by_removal(workflow, facts)
        found.append([(bot.name, bot.custodians, custodians_of(bot, facts)) for bot in freed])
    return found


@pytest.mark.parametrize("seed", range(40))
def test_what_is_gathered_for_a_request_judges_it_as_everything_would(db, seed):
    house = anything(seed)
    whole = everything(house.organization)
    waiting = list(ChangeRequest.objects.with_parties().filter(organization=house.organization))
    together = gather(house.organization, waiting)
    with_bots = gather(house.organization, waiting, bots=True)
    for change in waiting:
        alone = gather(house.organization, [change])
        narrow = gather(house.organization, [change], every_account=False)
        said = verdict(change, whole)
        assert verdict(change, narrow) == said
        cancelling = {name: may_cancel(change, member, whole) for name, member in house.people.items()}
        for facts in (alone, together, with_bots):
            assert (facts.level, facts.accounts, facts.people, facts.policies) == (
                whole.level, whole.accounts, whole.people, whole.policies
            )  # fmt: skip
            assert verdict(change, facts) == said
            for name, member in house.people.items():
                assert may_cancel(change, member, facts) == cancelling[name]


@pytest.mark.parametrize("seed", range(40))
def test_the_bots_that_hold_withdraw_say_of_the_whole_what_all_bots_would(db, seed):
    house = anything(seed)
    assert standing(gather(house.organization, bots=True)) == standing(everything(house.organization))


def test_bots_that_nobody_gathered_are_never_taken_for_none(house):
    key = house.bot()
    facts = gather(house.organization)
    for look in (len, list, bool, lambda bots: bots[0], lambda bots: bots[:1]):
        with pytest.raises(NotGathered):
            look(facts.bots)
    with pytest.raises(NotGathered):
        facts.bot(key.service_user_id)
    with pytest.raises(NotGathered):
        shortages(facts)
    assert facts.bot(None) is None


def test_accounts_that_nobody_gathered_are_never_taken_for_none(house):
    change = ChangeRequest(organization=house.organization, account_id=house.account.pk, operation="tests.send")
    facts = gather(house.organization, [change], every_account=False)
    assert house.account.pk in facts.accounts
    assert facts.accounts[house.account.pk] == house.account.name
    for look in (len, list, bool, set, lambda accounts: -1 in accounts, lambda accounts: accounts[-1]):
        with pytest.raises(NotGathered):
            look(facts.accounts)


def test_an_account_of_somebody_else_is_not_there_although_it_was_asked_for(house, next_door):
    change = ChangeRequest(organization=house.organization, account_id=next_door.account.pk, operation="tests.send")
    assert next_door.account.pk not in gather(house.organization, [change], every_account=False).accounts


def test_a_bot_that_asks_is_there_with_the_key_through_which_it_asks_and_no_other(house):
    """K5: a key that was rotated out still asks for what it asked for, and its custodians are barred from that."""
    key = house.bot()
    now = timezone.now()
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=now, is_active=False, slot=None)
    house.key(key.service_user, "ben")
    change = ChangeRequest(
        organization=house.organization, service_user=key.service_user, api_key=key, operation="tests.send"
    )
    bot = gather(house.organization, [change]).bot(key.service_user_id)
    assert bot is not None
    assert bot.through(key.pk).custodians == {house.olive.user_id}
    assert bot.custodians == {house.ben.user_id}
    assert [one.key_id for one in bot.keys if not one.is_live] == [key.pk]


def test_through_a_key_that_is_none_of_its_own_all_who_ever_held_one_are_barred(house):
    """The database refuses such a row; whoever gets around that gains no approver by it."""
    key, other = house.bot(), house.bot("other-bot", "cleo")
    house.key(key.service_user, "ben")
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now(), is_active=False, slot=None)
    change = ChangeRequest(
        organization=house.organization, service_user=key.service_user, api_key=other, operation="tests.send"
    )
    bot = gather(house.organization, [change]).bot(key.service_user_id)
    assert bot is not None
    assert bot.through(other.pk).custodians == {house.olive.user_id, house.ben.user_id}


def test_what_frees_bots_says_that_it_weighs_them():
    frees = [entry for entry in registry.all_operations() if entry.frees is not frees_nothing]
    assert frees
    assert all(entry.weighs_bots for entry in frees)
    assert registry.of(lift_suspension).weighs_bots
    assert not registry.of(lift_stops).weighs_bots

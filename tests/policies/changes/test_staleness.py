"""The first carried out makes those stale whose fields it changed, with both versions shown (DESIGN R6)."""

from dataclasses import replace

import pytest
from django.db import connection
from django.urls import reverse

from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser
from policies import payload
from policies.changes import cancel, propose
from policies.models import ChangeRequest, Policy, State
from policies.operations import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy
from policies.registry import all_operations, untouched
from policies.workflows import Workflow
from portal.audit import chain
from portal.audit.kinds import EventKind
from portal.core.errors import Conflict, Refused
from tests.policies.conftest import again, ask_tidy, events, page, yes

ADDRESSES = Workflow.MANAGE_ADDRESSES


def configure(member, approvals, *, workflow=ADDRESSES, hours=72):
    return propose(configure_policy, actor=member, params=ConfigurePolicy(workflow, approvals, False, hours))


def test_the_first_carried_out_makes_the_other_stale_with_both_versions(house):
    house.policy(ADDRESSES, 1, always=False)
    waiting = configure(house.ana, 2)
    untouched = configure(house.ana, 2, workflow=Workflow.MANAGE_ACCESS)
    first = configure(house.olive, 3)
    stale = again(waiting)
    assert (first.state, stale.state, stale.shown_state) == (State.EXECUTED, State.STALE, State.STALE)
    assert stale.reason == f"Request {first.number} changed this first: Approvals."
    assert stale.overtaken[0] == {"name": "Approvals", "then": "1", "now": "3", "wanted": "2"}
    assert events(waiting) == [EventKind.CHANGE_REQUESTED, EventKind.CHANGE_STALE]
    assert again(untouched).state == State.PENDING
    assert chain.verify(house.organization.pk) is None


def test_by_approval_as_well_as_at_once(house):
    first, second = configure(house.ana, 1), propose_removal_after_policy(house)
    assert yes(first, house.ben).state == State.EXECUTED
    assert again(second).state == State.STALE


def propose_removal_after_policy(house):
    """Another member's wish about the same policy, which there is not yet."""
    house.people["olive"].grants.filter(workflow=Workflow.MANAGE_POLICIES, right="execute").delete()
    return configure(house.olive, 2)


def test_what_changed_behind_everybodys_back_is_seen_when_it_is_decided(house):
    """Never a blind overwrite: what no request did is noticed as well."""
    house.policy(ADDRESSES, 1, always=False)
    change = configure(house.ana, 2)
    house.policy(ADDRESSES, 1, always=False, open_hours=5)
    with pytest.raises(Conflict, match="stale"):
        yes(change, house.ben)
    assert again(change).state == State.STALE
    assert again(change).reason == "This was changed since it was asked: Stays open, hours."
    assert Policy.objects.get(organization=house.organization).open_hours == 5


def test_a_removed_policy_is_a_changed_one(house):
    house.policy(ADDRESSES, 1, always=False)
    waiting = configure(house.ana, 2)
    propose(remove_policy, actor=house.olive, params=RemovePolicy(ADDRESSES))
    assert [field["now"] for field in again(waiting).overtaken] == ["none", "none", "none"]


def test_what_it_was_cannot_be_rewritten(house):
    """CR-1: the fields as they were are covered by the digest."""
    house.policy(ADDRESSES, 1, always=False)
    change = configure(house.ana, 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE policies_changerequest SET touched = '[]' WHERE id = %s", [change.pk])
    with pytest.raises(Refused, match="not what was asked"):
        yes(change, house.ben)
    assert again(change).state == State.PENDING


def test_one_of_another_version_stops_no_other(house):
    """R6, R8: the params of an operation have changed since it was asked; everything else still goes through."""
    old = configure(house.ana, 2)
    old.params.pop("open_hours")
    old.digest = payload.digest(old)
    old.save()

    assert configure(house.olive, 3, workflow=Workflow.MANAGE_ACCESS).state == State.EXECUTED
    assert again(old).state == State.PENDING
    with pytest.raises(Conflict, match="asked in another version"):
        yes(old, house.ben)
    assert again(old).state == State.FAILED


def overtaken_page(ana, owner):
    """Ana's wish for two approvals on addresses, which the Owner made three meanwhile."""
    waiting = configure(ana, 2)
    configure(owner, 3)
    return waiting, reverse("policies:ask_again", args=[waiting.reference])


def test_the_page_shows_both_versions_and_the_way_on(ana, ben, owner, browser):
    waiting, way = overtaken_page(ana, owner)
    text = page(browser(ana), waiting)
    assert "What changed meanwhile" in text
    assert "When this was asked" in text
    assert way in text
    assert way not in page(browser(ben), waiting)


def test_asked_again_it_starts_from_what_is_so_now(ana, owner, browser):
    waiting, way = overtaken_page(ana, owner)
    client = browser(ana)
    assert "seen from what is so now" in client.get(way).content.decode()
    assert ChangeRequest.objects.filter(asked_again_from=waiting).count() == 0
    client.post(way, {"note": "Still wanted."})
    anew = ChangeRequest.objects.get(asked_again_from=waiting)
    assert (anew.touched[0]["then"], anew.touched[0]["wanted"]) == ("3", "2")
    assert (anew.note, anew.state, anew.params) == ("Still wanted.", State.PENDING, waiting.params)
    client.post(way, {"note": "Twice."})
    assert ChangeRequest.objects.filter(asked_again_from=waiting).count() == 1
    assert f"request {anew.number}" in page(client, waiting)
    assert f"request {waiting.number}" in page(client, anew)


def test_what_was_cancelled_can_be_asked_again_by_who_asked_and_nobody_else(world, ana, owner, browser):
    """Not while it is open, and not by another; what another Organization asked is not there at all."""
    change = ask_tidy(ana)
    way = reverse("policies:ask_again", args=[change.reference])
    client = browser(ana)
    assert client.post(way, {}).status_code == 302
    cancel(change.reference, actor=ana)
    browser(owner).post(way, {})
    assert browser(world.members["eve"]).post(way, {}).status_code == 404
    assert ChangeRequest.objects.filter(asked_again_from=change).count() == 0
    client.post(way, {})
    assert ChangeRequest.objects.get(asked_again_from=change).member == ana


@pytest.mark.parametrize("entry", all_operations(), ids=lambda entry: entry.key)
def test_every_operation_but_money_says_what_it_writes_over(entry):
    """Whoever adds one says what it writes, or two requests overwrite each other unseen."""
    assert entry.money or entry.key.startswith("tests.") or entry.touches is not untouched


def test_the_page_shows_what_it_would_write_over_now(ana, owner, trading_bot, browser):
    """R6: never a blind overwrite: what was taken away since it was asked would come back, and the page says so."""
    bot = trading_bot.service_user
    before = limits_of(bot)
    params = ChangeServiceUser(bot.pk, bot.account_id, before, replace(before, purpose="Trades"), acknowledged=True)
    asked = propose(change_service_user, actor=ana, params=params)
    cancel(asked.reference, actor=ana)
    fewer = replace(before, permissions=("query-funds",))
    propose(change_service_user, actor=owner, params=ChangeServiceUser(bot.pk, bot.account_id, before, fewer))

    text = browser(ana).get(reverse("policies:ask_again", args=[asked.reference])).content.decode()

    assert "This gives the bot more power than it has." in text
    assert "Create and modify" in text

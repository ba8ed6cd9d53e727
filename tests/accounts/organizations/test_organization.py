"""The Organization itself: how people sign in, its Accounts, and its Owner."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts import grants
from accounts.authentication import notifications
from accounts.emergency_stop import stop
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import Account, Member, Organization, OwnershipOffer, Session
from accounts.models.organization import SecondFactorLevel
from accounts.organizations import ownership, sign_in_rules
from accounts.organizations.settings import AddAccount, ChangeSecurity, add_account, change_security
from accounts.organizations.sign_in_rules import Security
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from policies import registry
from policies.changes import decide, propose
from policies.models import Grant, State
from policies.workflows import Right, Workflow
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.factories.people import proof

pytestmark = pytest.mark.django_db


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


def ask_security(actor, **after):
    now = sign_in_rules.of(actor.organization)
    fields = {"level": now.level, "idle_minutes": now.idle_minutes, "absolute_hours": now.absolute_hours, **after}
    return propose(change_security, actor=actor, params=ChangeSecurity(before=now, after=Security(**fields)))


def ask_transfer(actor, member):
    owner = ownership.owner_of(member.organization)
    return propose(transfer_ownership, actor=actor, params=TransferOwnership(member_id=member.pk, owner_id=owner.pk))


def owner_now(world) -> Member:
    return ownership.owner_of(world.organization)


def test_limits_change_and_count_for_who_is_signed_in(client, owner, ben, sign_in):
    """SI-7: per Organization, from the next request on."""
    sign_in(client, ben)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert ask_security(owner, idle_minutes=5, absolute_hours=2).state == State.EXECUTED
        assert client.get("/members/").status_code == 302
    assert not Session.objects.filter(user=ben.user).exists()


@pytest.mark.parametrize(("field", "value"), [
    ("idle_minutes", 4),
    ("idle_minutes", 121),
    ("absolute_hours", 0),
    ("absolute_hours", 25),
])  # fmt: skip
def test_limits_stay_within_their_range(owner, field, value):
    """DESIGN O4: 5 to 120 minutes without activity, 1 to 24 hours in any case."""
    with pytest.raises(Invalid) as refusal:
        ask_security(owner, **{field: value})
    assert refusal.value.field == field


def test_terms_that_changed_meanwhile_are_not_overwritten(ana, owner, ben):
    waiting = ask_security(ana, idle_minutes=60)
    ask_security(owner, idle_minutes=15)
    with pytest.raises(Conflict, match="stale"):
        yes(waiting, ben)
    assert Organization.objects.get(pk=owner.organization_id).idle_minutes == 15
    with pytest.raises(Invalid, match="Nothing would change"):
        ask_security(owner)


def test_raising_the_level_over_everybodys_head_is_refused(owner):
    """P5, F-12: nobody here holds a passkey, so nobody could approve anything any more."""
    with pytest.raises(Refused, match="nobody can finish"):
        ask_security(owner, level=SecondFactorLevel.PASSKEY)


def test_the_effect_on_each_member_is_shown_before(client, owner, ben, sign_in):
    """F-12: with the effect on each present Member."""
    effects = sign_in_rules.effects(owner.organization, SecondFactorLevel.PASSKEY)
    assert {effect.name: effect.meets for effect in effects}["Ben Adeyemi"] is False
    sign_in(client, owner)
    text = client.get("/organization/security/").content.decode()
    assert text.count("has no passkey: must enrol one first") == len(effects) == 6


def test_an_account_is_added_once_and_by_name(owner, world):
    """O5: more can be added, by Manage Access."""
    change = propose(add_account, actor=owner, params=AddAccount("Payroll"))
    assert change.state == State.EXECUTED
    assert Account.objects.get(organization=world.organization, name="Payroll").venue == "paper"
    for name in ("payroll", "", " Payroll", "x" * 41, "a\u202eb"):
        with pytest.raises(Invalid):
            propose(add_account, actor=owner, params=AddAccount(name))


def test_an_account_that_would_be_a_dead_end_is_refused(owner, world, ben, cleo, fay):
    """P5: approvers of withdrawals from Main alone could not approve those of another Account."""
    rights = Grant.objects.filter(member__in=[ben, cleo, fay], workflow=Workflow.INITIATE_WITHDRAWAL.value)
    rights.update(account=world.account)
    with pytest.raises(Refused, match="nobody can finish"):
        propose(add_account, actor=owner, params=AddAccount("Payroll"))


def test_an_account_waits_for_approval(ana, ben, world):
    change = propose(add_account, actor=ana, params=AddAccount("Payroll"))
    assert not Account.objects.filter(name="Payroll").exists()
    assert "Payroll" in registry.get(change.operation).describe(change).sentence
    assert yes(change, ben).state == State.EXECUTED


def test_the_owner_hands_on_what_another_approves_and_the_new_one_accepts(world, owner, ana, ben):
    """AZ-6: the Owner's rights change only by transfer of ownership, here in its whole length (O3)."""
    held = grants.of(owner)
    change = ask_transfer(owner, ana)
    assert (change.state, change.approvals_required) == (State.PENDING, 1)
    yes(change, ben)
    assert owner_now(world) == owner
    with pytest.raises(NotFound):
        ownership.accept(by=ben, proof=proof())
    with pytest.raises(Refused):
        ownership.accept(by=ana, proof=None)
    with pytest.raises(Refused):
        ownership.accept(by=ana, proof=replace(proof(), at=timezone.now() - settings.STEP_UP_FRESH))
    ownership.accept(by=ana, proof=proof())
    assert [notice.title for notice in notifications.unseen(owner.user)] == [
        "Ana Ruiz is the Owner of Demo Treasury now."
    ]
    assert owner_now(world) == ana
    assert grants.of(ana) == grants.everything()
    assert grants.of(owner) == held
    with pytest.raises(NotFound):
        ownership.accept(by=ana, proof=proof())


def test_the_new_owner_does_not_approve_it(owner, ben):
    """O3: another member's approval, and then the acceptance."""
    change = ask_transfer(owner, ben)
    with pytest.raises(Refused, match="about you"):
        yes(change, ben)


def test_with_fewer_than_three_verified_members_accepting_is_the_approval(world, owner, ana, ben, cleo, fay, audit):
    """O3: and it still takes the acceptance."""
    Member.objects.filter(pk__in=[ben.pk, cleo.pk, fay.pk, audit.pk]).update(identity="unverified")
    change = ask_transfer(owner, ana)
    assert (change.state, change.approvals_required) == (State.EXECUTED, 0)
    assert owner_now(world) == owner
    ownership.accept(by=ana, proof=proof())
    assert owner_now(world) == ana


def test_only_the_owner_asks_and_never_for_oneself(owner, ana, ben, audit):
    with pytest.raises(Refused, match="Only the Owner"):
        ask_transfer(ana, ben)
    with pytest.raises(Refused, match="Owner already"):
        ask_transfer(owner, owner)
    Member.objects.filter(pk=audit.pk).update(identity="unverified")
    with pytest.raises(Refused, match="active and verified"):
        ask_transfer(owner, audit)


def test_a_suspended_owner_can_be_replaced(world, owner, ana, ben, cleo):
    """O3: by the same road, asked by anyone with Initiate on Manage Access, but not for themselves."""
    stop.suspend_member(actor=ana, member=owner, reason="It has to stop.")
    with pytest.raises(Refused, match="for themselves"):
        ask_transfer(ana, ana)
    yes(ask_transfer(ana, ben), cleo)
    ownership.accept(by=ben, proof=proof())
    assert owner_now(world) == ben
    owner.refresh_from_db()
    assert (owner.is_owner, owner.suspended_at is None) == (False, False)


def test_all_checks_run_again_at_acceptance(world, owner, ana, ben, cleo):
    """O3: who approved it has lost that right by then."""
    yes(ask_transfer(owner, ana), ben)
    held = grants.of(ben)
    less = tuple(one for one in held if one.workflow is not Workflow.MANAGE_ACCESS)
    propose(change_rights, actor=owner, params=ChangeRights(ben.pk, held, less))
    with pytest.raises(Refused, match="no longer stands"):
        ownership.accept(by=ana, proof=proof())
    assert owner_now(world) == owner


def test_an_offer_ends_with_the_open_time_of_its_request(world, owner, ana, ben):
    """O3: the new Owner's acceptance within the request's open time."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        change = ask_transfer(owner, ana)
        clock.shift(timedelta(hours=71))
        yes(change, ben)
        with pytest.raises(Conflict, match="open already"):
            ask_transfer(owner, ben)
        clock.shift(timedelta(hours=1))
        with pytest.raises(NotFound):
            ownership.accept(by=ana, proof=proof())
    assert owner_now(world) == owner


def test_an_offer_can_be_declined(world, owner, ana, ben):
    yes(ask_transfer(owner, ana), ben)
    ownership.decline(by=ana)
    assert [told.title for told in notifications.unseen(owner.user)] == [
        "Ana Ruiz declined the ownership of Demo Treasury."
    ]
    assert OwnershipOffer.objects.get().declined_at is not None
    with pytest.raises(NotFound):
        ownership.accept(by=ana, proof=proof())
    assert owner_now(world) == owner


def test_the_pages_of_the_organization(client, owner, ana, ben, sign_in, code, world):
    sign_in(client, owner)
    for page in ("/organization/", "/accounts/new/", "/organization/owner/", "/organization/security/"):
        assert client.get(page).status_code == 200
    answer = client.post("/accounts/new/", {"name": "Payroll", "code": code(owner)})
    assert answer.url == "/accounts/"
    assert "Payroll" in client.get("/accounts/").content.decode()
    posted = {"level": "any", "idle_minutes": 3, "absolute_hours": 12, "code": code(owner)}
    assert "aria-invalid" in client.post("/organization/security/", posted).content.decode()
    answer = client.post("/organization/owner/", {"member": ana.pk, "code": code(owner)})
    assert answer.url.startswith("/requests/")
    change = ana.organization.changes.get(operation="accounts.transfer_ownership")
    assert client.get(answer.url).status_code == 200
    yes(change, ben)
    client.post("/sign-out/")
    sign_in(client, ana)
    assert "is offered to you" in client.get("/members/").content.decode()
    assert client.get("/organization/owner/offer/").status_code == 200
    answer = client.post("/organization/owner/offer/", {"decision": "accept", "code": code(ana)})
    assert answer.status_code == 302
    assert owner_now(world) == ana
    assert client.get("/organization/").status_code == 200


def test_who_may_not_ask_there_is_refused(client, audit, eve, ben, sign_in):
    """AZ-1, AZ-3: the forms are for Initiate; another Organization's member cannot be named."""
    sign_in(client, audit)
    assert client.get("/organization/").status_code == 200
    for page in ("/accounts/new/", "/organization/owner/", "/organization/security/"):
        assert client.get(page).status_code == 403
    assert client.get("/organization/owner/offer/").status_code == 302
    client.post("/sign-out/")
    sign_in(client, eve)
    assert "valid choice" in client.post("/organization/owner/", {"member": ben.pk}).content.decode()


@pytest.mark.parametrize("right", [Right.VIEW, Right.APPROVE])
def test_looking_takes_view(client, audit, sign_in, right):
    Grant.objects.filter(member=audit, workflow=Workflow.MANAGE_ACCESS.value).update(right=right.value)
    sign_in(client, audit)
    assert client.get("/organization/").status_code == 200
    Grant.objects.filter(member=audit).delete()
    assert client.get("/organization/").status_code == 403


def test_who_is_to_be_the_owner_is_not_named_among_those_who_approve(client, owner, ana, ben, cleo, fay, sign_in):
    """DESIGN R3: the form says so before anybody is chosen, and leaves them out once somebody is."""
    sign_in(client, owner)
    url = "/organization/owner/"
    assert "Whoever is to be the Owner does not approve it." in client.get(url).content.decode()
    text = client.post(url, {"member": ben.pk, "code": "000000"}).content.decode()
    assert f"{ben.label} can give" not in text
    assert f"{ben.label} and" not in text.split("can give")[0][-80:]

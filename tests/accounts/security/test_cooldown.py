"""Rest: until a day after enrolling again nothing of money, access and policies is approved or finished alone (M4)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.members.identity import checks
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.members.invite_member import InviteMember, invite_member
from accounts.models import ApiKey, Member, SecurityNotice, User
from accounts.organizations import ownership
from accounts.organizations.founding import add_member, create_organization
from accounts.security import cooldown
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies.access import grant
from policies.changes import decide, propose
from policies.models import Policy, State
from policies.operations import RemovePolicy, remove_policy
from policies.rules import Asked, Held, Need, Person, Terms, approvals_needed, why_not
from policies.rules.eligibility import Reason
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from portal.treasury.withdrawals import request_withdrawal
from tests.accounts.members.test_identity import document
from tests.accounts.organizations.test_organization import ask_transfer, yes
from tests.factories.people import proof

MONEY, ACCESS, POLICIES, ADDRESSES = (
    Workflow.INITIATE_WITHDRAWAL,
    Workflow.MANAGE_ACCESS,
    Workflow.MANAGE_POLICIES,
    Workflow.MANAGE_ADDRESSES,
)


def holder(workflow: Workflow, *rights: Right, resting: bool = True) -> Person:
    grants = frozenset(Held(workflow.value, right.value) for right in rights)
    return Person(1, 1, "Ben", is_resting=resting, factors=frozenset({"totp"}), grants=grants)


@pytest.mark.parametrize("workflow", list(Workflow))
@pytest.mark.parametrize("policy", [None, False, True])
@pytest.mark.parametrize("approvals", [1, 2])
def test_who_rests_counts_as_without_execute(workflow, policy, approvals):
    """fault rules-C, fault security-H2: whoever rests needs what who may only ask needs, one at least, everywhere."""
    policies = [] if policy is None else [Terms(workflow.value, approvals, policy, 72)]
    resting, asking = holder(workflow, Right.EXECUTE), holder(workflow, Right.INITIATE, resting=False)
    need = approvals_needed(Asked(workflow, resting, 1), policies)
    assert need == approvals_needed(Asked(workflow, asking, 1), policies)
    assert need.approvals >= 1
    assert approvals_needed(Asked(workflow, resting, 1, alone=True), policies) == Need(1)


@pytest.mark.parametrize("workflow", list(Workflow))
@pytest.mark.parametrize("protected", [True, False])
def test_who_rests_approves_nothing_of_money_access_and_policies(workflow, protected):
    """fault rules-C: locked or not."""
    stranger = Person(9, 9, "")
    reason = why_not(holder(workflow, Right.APPROVE), Asked(workflow, stranger, 1, protected=protected), "any")
    assert reason is (None if workflow is ADDRESSES else Reason.RESTING)


def rests(member: Member) -> Member:
    cooldown.begin([member])
    cooldown.enrolled([member])
    member.refresh_from_db()
    return member


@pytest.mark.django_db
def test_it_lasts_until_a_day_after_they_have_enrolled_again(ben, owner):
    """fault rules-C (1): who waits with the link for a day waits in vain."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        cooldown.begin([ben])
        clock.shift(timedelta(days=6))
        ben.refresh_from_db()
        assert (ben.is_resting, ben.rests_until) == (True, None)
        cooldown.enrolled([ben])
        clock.shift(settings.AFTER_RESET - timedelta(seconds=1))
        cooldown.enrolled([ben])
        ben.refresh_from_db()
        assert ben.is_resting
        assert Member.objects.resting().filter(pk=ben.pk).exists()
        clock.shift(timedelta(seconds=1))
        assert not ben.is_resting
        assert not Member.objects.resting().filter(pk=ben.pk).exists()


@pytest.mark.django_db
def test_all_who_approve_are_told_of_the_enrolment(world, ben, cleo, fay, owner, ana):
    """fault rules-C: of the reset, and of the enrolment after it; once."""
    cooldown.begin([ben])
    cooldown.enrolled([ben])
    cooldown.enrolled([ben])
    told = SecurityNotice.objects.filter(kind="member_enrolled")
    assert sorted(notice.user.email for notice in told) == sorted(m.user.email for m in (owner, cleo, fay))


@pytest.mark.django_db
def test_the_owner_sends_nothing_alone_while_they_rest(world, owner, account):
    """fault security-H2: no removal of the policy, no address, and no money 1.7 s after a code on paper."""
    Policy.objects.filter(organization=world.organization, workflow=MONEY.value).delete()
    rests(owner)
    money = request_withdrawal(actor=owner, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.1"))
    assert (money.state, money.approvals_required) == (State.PENDING, 1)
    assert propose(remove_policy, actor=owner, params=RemovePolicy(ADDRESSES)).state == State.PENDING
    invited = InviteMember("friend@demo.test", "Friend", ())
    assert propose(invite_member, actor=owner, params=invited).state == State.PENDING


@pytest.mark.django_db
def test_who_was_reset_approves_no_removal_of_a_policy_a_minute_later(world, owner, ana, ben, cleo):
    """fault rules-C (3): without any lock as well. Cleo may answer for the key that would send at once."""
    grant(cleo, MONEY, Right.EXECUTE)
    change = propose(remove_policy, actor=ana, params=RemovePolicy(MONEY))
    rests(ben)
    with pytest.raises(Refused, match="you rest"):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=proof(change))


@pytest.mark.django_db
def test_a_membership_that_begins_meanwhile_rests(world, ben, eve):
    """fault rules-C (4)."""
    rests(ben)
    there = add_member(world.elsewhere, ben.user, rights=[(MONEY, Right.APPROVE)])
    there.refresh_from_db()
    assert there.is_resting
    assert there.rests_until is not None
    third = create_organization(name="Third", currency="USD", owner=ben.user)
    assert Member.objects.get(organization=third).is_resting


@pytest.mark.django_db
def test_nobody_accepts_the_ownership_while_they_rest(world, owner, ana, ben):
    """fault rules-B, fault security-H2: an offer waits; who rests is not the Owner a minute later."""
    yes(ask_transfer(owner, ana), ben)
    rests(ana)
    with pytest.raises(Refused, match="You rest"):
        ownership.accept(by=ana, proof=proof())
    assert Member.objects.get(organization=world.organization, is_owner=True) == owner
    Member.objects.filter(pk=ana.pk).update(factors_reset_at=None, factors_enrolled_at=None)
    ownership.accept(by=ana, proof=proof())
    assert Member.objects.get(organization=world.organization, is_owner=True) == ana


@pytest.mark.django_db
def test_who_rests_verifies_nobody_alone(world, owner, ben, cleo):
    """fault security-H2: the review stands, and takes one approval besides."""
    newcomer = add_member(world.organization, _somebody(), rights=[])
    Member.objects.filter(pk=newcomer.pk).update(identity="unverified")
    check = checks.submit(newcomer, document())
    rests(ben)
    change = propose(verify_identity, actor=ben, params=VerifyIdentity(newcomer.pk, str(check.handle)))
    assert (change.state, change.approvals_required) == (State.PENDING, 1)
    decide(change.reference, member=cleo, approved=True, digest=change.digest, proof=proof(change))
    newcomer.refresh_from_db()
    assert newcomer.is_verified


@pytest.mark.django_db
def test_nobody_reveals_a_secret_while_they_rest(world, owner, account):
    """fault security-H2: what may move money comes into no resting hand."""
    params = CreateServiceUser(
        name="late-bot",
        account_id=account.pk,
        permissions=("query-funds",),
        expires_at=None,
        query_start=None,
        query_end=None,
        websocket=False,
        nonce_window=0,
        ip_allow_list=(),
        acknowledged=True,
    )
    propose(create_service_user, actor=owner, params=params)
    key = ApiKey.objects.get(service_user__name="late-bot")
    rests(owner)
    with pytest.raises(Refused, match="You rest"):
        lifecycle.reveal(key.pk, member=owner)
    key.refresh_from_db()
    assert key.revealed_at is None


@pytest.mark.django_db
def test_the_pages_say_so_before_anything_is_asked(client, owner, sign_in):
    """fault rules-C: what would happen at once says that it waits."""
    sign_in(client, owner)
    rests(owner)
    Member.objects.filter(pk=owner.pk).update(factors_reset_at=timezone.now() - timedelta(hours=1))
    page = " ".join(client.get("/invitations/new/").content.decode().split())
    assert "You approve nothing, and finish nothing alone, of money, access and policies" in page
    assert "This happens at once" not in page


@pytest.mark.django_db
def test_rest_is_no_shortage(world, owner, ben, cleo, fay):
    """P5: it ends by itself, so nothing is refused for it."""
    for member in (ben, cleo, fay):
        rests(member)
    invited = InviteMember("friend@demo.test", "Friend", ())
    assert propose(invite_member, actor=owner, params=invited).state == State.EXECUTED


@pytest.mark.django_db
def test_the_database_knows_no_enrolment_before_the_reset(ben):
    """M4: a row that says otherwise is refused, whoever writes it."""
    now = timezone.now()
    with pytest.raises(IntegrityError, match="member_enrols_after_reset"), transaction.atomic():
        Member.objects.filter(pk=ben.pk).update(factors_reset_at=now, factors_enrolled_at=now - timedelta(seconds=1))


def _somebody() -> User:
    return User.objects.create_user("nell@demo.test", "a long walk by the sea", name="Nell Novak")

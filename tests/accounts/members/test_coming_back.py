"""Whoever was removed and is invited again comes back with nothing of before (DESIGN R4, O3, K2; security SI-8)."""

from decimal import Decimal

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys import lifecycle, unrevealed
from accounts.authentication import email_links
from accounts.members import invitations
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.models import Member, OwnershipOffer, Recovery, User
from accounts.models.invitation import LinkPurpose
from accounts.models.member import Identity
from accounts.organizations import ownership
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from accounts.security import operator_recovery
from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound
from portal.core.web.http import Proof
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.people import proof
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
MONEY = Workflow.INITIATE_WITHDRAWAL.value


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


def remove(owner, member):
    assert propose(remove_member, actor=owner, params=RemoveMember(member.pk, ())).state == State.EXECUTED


def come_back(owner, member, right):
    """Invited again to the same address, let in, and verified."""
    invitation = invitations.open_invitation(
        organization=owner.organization,
        email=member.user.email,
        name=member.user.name,
        rights=((MONEY, right.value, None),),
        invited_by=owner,
    )
    back = invitations.accept(invitation, name=member.user.name, password="another walk by the sea")
    Member.objects.filter(pk=back.pk).update(identity=Identity.VERIFIED)
    return Member.objects.select_related("user", "organization").get(pk=back.pk)


def offered(owner, ana, ben):
    change = propose(transfer_ownership, actor=owner, params=TransferOwnership(ana.pk, owner.pk))
    assert yes(change, ben).state == State.EXECUTED
    return change


def test_an_offer_from_before_a_removal_makes_nobody_the_owner(owner, ana, ben):
    """Who was removed and let in again to look must not take the ownership by an offer from before."""
    offered(owner, ana, ben)
    remove(owner, ana)
    back = come_back(owner, ana, Right.VIEW)
    with pytest.raises(NotFound):
        ownership.accept(by=back, proof=Proof(factor="totp", at=timezone.now()))
    assert Member.objects.get(pk=owner.pk).is_owner


def test_an_offer_to_who_was_removed_stands_in_nobodys_way(owner, ana, ben, cleo):
    """The Owner must not have to wait up to thirty days for somebody who is gone before offering it anew."""
    first = offered(owner, ana, ben)
    remove(owner, ana)
    change = propose(transfer_ownership, actor=owner, params=TransferOwnership(cleo.pk, owner.pk))
    assert yes(change, ben).state == State.EXECUTED
    assert OwnershipOffer.objects.get(request=change.reference).is_open
    assert ChangeRequest.objects.get(pk=first.pk).state == State.EXECUTED


def test_an_offer_asked_before_a_removal_is_never_made(owner, ana, ben):
    """What was asked about a membership that ended is not carried out on the one that began since."""
    change = propose(transfer_ownership, actor=owner, params=TransferOwnership(ana.pk, owner.pk))
    remove(owner, ana)
    come_back(owner, ana, Right.VIEW)
    with pytest.raises(Conflict, match="cancelled"):
        yes(change, ben)
    change.refresh_from_db()
    assert (change.state, change.reason) == (State.CANCELLED, "Ana Ruiz was removed.")
    assert not OwnershipOffer.objects.exists()


def test_a_recovery_from_before_a_removal_is_announced_anew(owner, ana):
    """Whoever came since was told of none, and could not have cancelled it (DESIGN M4)."""
    operator_recovery.announce(ana.user)
    Recovery.objects.update(opens_at=timezone.now())
    remove(owner, ana)
    back = come_back(owner, ana, Right.VIEW)
    with pytest.raises(NotFound):
        operator_recovery.open_enrolment(back.user)
    assert operator_recovery.announce(back.user)


def test_no_link_from_before_an_invitation_sets_the_password_again(owner, ana):
    """A new password ends the links for another one, however it was set."""
    remove(owner, ana)
    made = email_links.issue(ana.user, LinkPurpose.RESET_PASSWORD)
    come_back(owner, ana, Right.VIEW)
    with pytest.raises(NotFound):
        email_links.find(made.digest, LinkPurpose.RESET_PASSWORD)


def test_a_yes_from_before_a_removal_never_sends_money(world, owner, ben, cleo, fay, treasury_bot):
    """What somebody agreed to before they were removed must not count again once they are let in anew."""
    change = request_withdrawal(
        actor=treasury_bot.service_user,
        account=world.account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal(1),
        api_key=treasury_bot.key,
    )
    yes(change, ben)
    remove(owner, ben)
    come_back(owner, ben, Right.APPROVE)
    assert yes(change, cleo).state == State.PENDING
    assert yes(change, fay).state == State.EXECUTED


def test_the_page_says_why_a_yes_counts_no_more(client, world, owner, ben, cleo, sign_in, treasury_bot):
    """To the others, who would else look for an approval that is not there; and to who gave it and gets no form."""
    change = request_withdrawal(
        actor=treasury_bot.service_user,
        account=world.account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal(1),
        api_key=treasury_bot.key,
    )
    path = reverse("policies:request", kwargs={"reference": change.reference})
    yes(change, ben)
    sign_in(client, cleo)
    assert "Ben Adeyemi approved." in client.get(path).content.decode()
    remove(owner, ben)
    come_back(owner, ben, Right.APPROVE)
    page = client.get(path).content.decode()
    assert "has decided, no longer counts: was removed since and has come back" in page
    assert "Ben Adeyemi approved." not in page
    client.post(reverse("accounts:sign_out"))
    User.objects.filter(pk=ben.user_id).update(password=make_password(PASSWORD))
    sign_in(client, Member.objects.get(pk=ben.pk))
    page = client.get(path).content.decode()
    assert "It counts no more: you were removed since and have come back. Others can still approve this." in page


def test_a_key_from_before_a_removal_is_never_revealed(owner, ana, trading_bot):
    """Who was removed must not come back, to look only, to the secret of a key that trades."""
    waiting = lifecycle.issue(trading_bot.service_user, made_by=ana, expires_at=None, overlap_hours=24)
    assert unrevealed.to_reveal(ana) == [waiting]
    assert not lifecycle.has_room(trading_bot.service_user)
    remove(owner, ana)
    back = come_back(owner, ana, Right.VIEW)
    assert unrevealed.to_reveal(back) == []
    with pytest.raises(Conflict, match="revoked"):
        lifecycle.reveal(waiting.pk, member=back)
    said = AuditEvent.objects.filter(kind="key.revoked").latest("pk")
    assert said.data["reason"] == "Ana Ruiz, who alone could reveal it, was removed."
    assert lifecycle.has_room(trading_bot.service_user)

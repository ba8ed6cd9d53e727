"""Whoever was removed and is invited again comes back with nothing of before (DESIGN R4, O3; security SI-8)."""

import pytest
from django.utils import timezone

from accounts import invitations, ownership
from accounts.models import Member, OwnershipOffer
from accounts.models.member import Identity
from accounts.operations.membership import RemoveMember, remove_member
from accounts.operations.ownership import TransferOwnership, transfer_ownership
from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.core.errors import NotFound
from portal.core.http import Proof
from tests.factories.people import proof

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

"""An offer of the ownership ends with who asked for it, or to whom it is made (DESIGN O3, R5)."""

import pytest
from django.utils import timezone

from accounts.emergency_stop import stop
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.models import Member, OwnershipOffer
from accounts.organizations import ownership
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from policies.changes import propose
from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import Freeze, Grant, State
from policies.workflows import Workflow
from portal.core.errors import NotFound, Refused
from portal.core.web.http import Proof
from tests.policies.conftest import yes

pytestmark = pytest.mark.django_db


def fresh(member):
    return Member.objects.select_related("user", "organization").get(pk=member.pk)


def offered(owner, to, approver):
    change = propose(transfer_ownership, actor=owner, params=TransferOwnership(to.pk, owner.pk))
    assert yes(change, approver).state == State.EXECUTED


def test_what_a_suspended_owner_offered_is_offered_no_longer(owner, ana, ben):
    """It ends with the rest of what they asked for, and does not come back when the suspension lapses."""
    offered(owner, ana, ben)
    stop.suspend_member(actor=ana, member=owner, reason="Perhaps somebody else is in.")
    Member.objects.filter(pk=owner.pk).update(suspended_until=timezone.now())
    with pytest.raises(NotFound):
        ownership.accept(by=fresh(ana), proof=Proof(factor="totp", at=timezone.now()))


def test_an_owner_kept_out_is_replaced_although_they_had_offered_the_ownership(owner, ana, ben, cleo):
    """Nobody waits up to thirty days for an offer of who is kept out before the replacement can be asked."""
    offered(owner, cleo, ben)
    change = propose(keep_out, actor=ana, params=KeepOut(owner.pk))
    assert change.state == State.EXECUTED or yes(change, ben).state == State.EXECUTED
    change = propose(transfer_ownership, actor=fresh(ana), params=TransferOwnership(ben.pk, owner.pk))
    assert yes(change, cleo).state == State.EXECUTED


def test_an_offer_to_who_is_kept_out_stands_in_nobodys_way(owner, ana, ben, cleo):
    """They can neither accept nor decline it: the ownership is offered to somebody else."""
    offered(owner, ana, ben)
    assert propose(keep_out, actor=owner, params=KeepOut(ana.pk)).state == State.EXECUTED
    offered(owner, cleo, ben)


def test_an_offer_is_declined_on_its_page(client, owner, ana, ben, sign_in):
    offered(owner, ana, ben)
    sign_in(client, ana)
    answer = client.post("/organization/owner/offer/", {"decision": "decline"}, follow=True)
    assert "You declined. The ownership stays where it is." in answer.content.decode()
    assert OwnershipOffer.objects.get().declined_at is not None
    assert ownership.owner_of(owner.organization) == owner


def test_why_an_offer_cannot_be_accepted_any_more_is_said_on_its_page(client, owner, ana, ben, sign_in):
    """O3: all checks run again; whoever approved it may approve nothing now."""
    offered(owner, ana, ben)
    Grant.objects.filter(member=ben, workflow=Workflow.MANAGE_ACCESS.value).delete()
    sign_in(client, ana)
    answer = client.post("/organization/owner/offer/", {"decision": "accept"})
    assert answer.status_code == 200
    assert "no longer stands" in answer.content.decode()
    assert ownership.owner_of(owner.organization) == owner


def test_while_access_is_frozen_no_ownership_is_accepted_and_afterwards_it_is(owner, ana, ben):
    """The acceptance is what carries it out; declining takes nothing, and goes on."""
    offered(owner, ana, ben)
    made = freeze(actor=owner, place=Place(Workflow.MANAGE_ACCESS), hours=1, reason="Perhaps somebody else is in.")
    with pytest.raises(Refused, match="is frozen until"):
        ownership.accept(by=fresh(ana), proof=Proof(factor="totp", at=timezone.now()))
    assert OwnershipOffer.objects.get().accepted_at is None
    Freeze.objects.filter(pk=made.pk).update(ended_at=timezone.now())
    ownership.accept(by=fresh(ana), proof=Proof(factor="totp", at=timezone.now()))
    assert ownership.owner_of(owner.organization) == ana


def test_while_access_is_frozen_an_offer_can_be_declined(owner, ana, ben):
    offered(owner, ana, ben)
    freeze(actor=owner, place=Place(Workflow.MANAGE_ACCESS), hours=1, reason="Perhaps somebody else is in.")
    ownership.decline(by=fresh(ana))
    assert OwnershipOffer.objects.get().declined_at is not None

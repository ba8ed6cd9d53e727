"""Who a member is: showing a document, reviewing it, and what may be done before."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.members import invitations
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.identity import checks, reviewers
from accounts.members.identity.provider import Document
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.models import IdentityCheck, Member
from accounts.models.member import Identity
from policies.access import allows
from policies.changes import propose
from policies.models import Policy, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from portal.core.secrets.sealing import SealBroken, unseal

pytestmark = pytest.mark.django_db
NUMBER = "X47-2209-KLM"


def document(**changes) -> Document:
    fields = {
        "full_name": "Ana María Ruiz",
        "born_on": date(1990, 2, 28),
        "country": "Spain",
        "kind": "passport",
        "number": NUMBER,
        "expires_on": timezone.localdate() + timedelta(days=400),
    }
    return Document(**{**fields, **changes})


def verify(actor, check):
    params = VerifyIdentity(member_id=check.member_id, check=str(check.handle))
    return propose(verify_identity, actor=actor, params=params)


@pytest.fixture
def newcomer(ana, owner):
    """Ana, invited by the Owner and not verified yet."""
    Member.objects.filter(pk=ana.pk).update(identity=Identity.UNVERIFIED, invited_by=owner)
    ana.refresh_from_db()
    return ana


def test_until_verified_one_looks_and_does_not_act(newcomer):
    """M3: view what they may view, but never initiate, approve or execute."""
    assert allows(newcomer, Workflow.MANAGE_ACCESS, Right.VIEW)
    assert not allows(newcomer, Workflow.MANAGE_ACCESS, Right.INITIATE)
    with pytest.raises(Refused, match="not verified"):
        propose(configure_policy, actor=newcomer, params=ConfigurePolicy(Workflow.MANAGE_ACCESS, 1, always=True))


def test_unverified_becomes_submitted_becomes_verified(newcomer, ben):
    """M3: with one reviewer who holds Approve, at once."""
    check = checks.submit(newcomer, document())
    newcomer.refresh_from_db()
    assert newcomer.identity == Identity.SUBMITTED
    change = verify(ben, check)
    assert change.state == State.EXECUTED
    newcomer.refresh_from_db()
    check.refresh_from_db()
    assert newcomer.is_verified
    assert (check.accepted, check.decided_by) == (True, ben)
    assert AuditEvent.objects.get(kind="identity.verified").data["provider"] == "manual"


def test_it_runs_at_once_also_where_a_policy_always_asks(newcomer, owner, ben):
    """M3: unprotected, the reviewer's word is enough whatever the policy of Manage Access says."""
    propose(configure_policy, actor=owner, params=ConfigurePolicy(Workflow.MANAGE_ACCESS, 2, always=True))
    assert verify(ben, checks.submit(newcomer, document())).state == State.EXECUTED


def test_turned_down_one_may_show_another(newcomer, ben):
    """M3: submitted → rejected → submitted."""
    checks.submit(newcomer, document())
    with pytest.raises(Invalid):
        checks.reject(newcomer, by=ben, reason="")
    checks.reject(newcomer, by=ben, reason="The photograph is missing.")
    newcomer.refresh_from_db()
    assert newcomer.identity == Identity.REJECTED
    again = checks.submit(newcomer, document())
    assert verify(ben, again).state == State.EXECUTED
    assert IdentityCheck.objects.filter(member=newcomer).count() == 2


def test_nobody_judges_themselves_or_whom_they_invited(newcomer, owner, ben):
    """M3: neither the person nor their inviter."""
    check = checks.submit(newcomer, document())
    for reviewer, words in ((newcomer, "own identity"), (owner, "You invited")):
        with pytest.raises(Refused, match=words):
            checks.open_document(check, reader=reviewer)
        with pytest.raises(Refused):
            checks.reject(newcomer, by=reviewer, reason="No.")
    with pytest.raises(Refused, match="You invited"):
        verify(owner, check)
    assert "Ben Adeyemi" in reviewers.bar_to_review(newcomer, owner)


def test_who_invited_may_where_nobody_else_exists(newcomer, owner, ben, cleo, fay):
    """M3: unless nobody else exists."""
    check = checks.submit(newcomer, document())
    Member.objects.filter(pk__in=[ben.pk, cleo.pk, fay.pk]).update(suspended_at=timezone.now())
    # Somebody who could then ask for what nobody can approve would be a dead end (P5).
    newcomer.grants.update(right=Right.VIEW.value)
    assert verify(owner, check).state == State.EXECUTED


def test_it_takes_approve_on_manage_access(newcomer, audit, eve):
    check = checks.submit(newcomer, document())
    with pytest.raises(Refused, match="Approve on Manage Access"):
        checks.open_document(check, reader=audit)
    with pytest.raises(Refused):
        verify(audit, check)
    with pytest.raises(NotFound):
        checks.open_document(check, reader=eve)


def test_a_later_submission_is_not_verified_unseen(newcomer, ben):
    first = checks.submit(newcomer, document())
    checks.reject(newcomer, by=ben, reason="Not readable.")
    checks.submit(newcomer, document(full_name="Somebody Else"))
    with pytest.raises(Conflict):
        verify(ben, first)


def test_one_submission_at_a_time(newcomer, ben):
    checks.submit(newcomer, document())
    with pytest.raises(Conflict):
        checks.submit(newcomer, document())
    with pytest.raises(Conflict):
        checks.submit(ben, document())


@pytest.mark.parametrize(("field", "value"), [
    ("expires_on", timezone.localdate() - timedelta(days=1)),
    ("born_on", timezone.localdate() - timedelta(days=365 * 17)),
])  # fmt: skip
def test_a_document_past_its_time_or_of_a_child_is_refused(newcomer, field, value):
    with pytest.raises(Invalid) as refusal:
        checks.submit(newcomer, document(**{field: value}))
    assert refusal.value.field == field


def test_what_was_shown_is_sealed_where_it_stands(newcomer, ben, cleo):
    """SE-1: opens in its own row only, and is nowhere in plain text."""
    check = checks.submit(newcomer, document())
    assert checks.open_document(check, reader=ben) == document()
    assert AuditEvent.objects.get(kind="identity.viewed").actor_id == ben.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_identitycheck")
        dump = repr(cursor.fetchall())
        cursor.execute("SELECT data FROM audit_auditevent")
        dump += repr(cursor.fetchall())
    assert NUMBER not in dump
    assert "Ruiz" not in dump.replace("Ana Ruiz", "")
    with pytest.raises(SealBroken):
        unseal(check.sealed_document, place=f"accounts_identitycheck.sealed_document:{ben.user.handle}")


def test_the_form_and_the_review(client, newcomer, ben, sign_in, code):
    sign_in(client, newcomer)
    text = client.get("/members/").content.decode()
    assert "You may look, and not act" in text
    answer = client.post("/identity/", {"full_name": ""})
    assert answer.status_code == 200
    assert "aria-invalid" in answer.content.decode()
    shown = document()
    posted = {name: getattr(shown, name) for name in Document.__dataclass_fields__}
    assert client.post("/identity/", posted).status_code == 302
    assert "is being checked" in client.get("/identity/").content.decode()
    client.post("/sign-out/")
    sign_in(client, ben)
    page = f"/members/{newcomer.pk}/identity/"
    assert "Review the identity" in client.get(f"/members/{newcomer.pk}/").content.decode()
    answer = client.get(page)
    assert NUMBER in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    check = IdentityCheck.objects.get()
    form = {"check": str(check.handle), "decision": "reject", "reason": "", "code": code(ben)}
    assert "Say what is wrong" in client.post(page, form).content.decode()
    assert client.post(page, {**form, "decision": "verify"}).status_code == 302
    newcomer.refresh_from_db()
    assert newcomer.is_verified
    assert client.get(page).status_code == 404


def test_what_cannot_be_a_document_is_said_beside_its_field(client, newcomer, sign_in):
    sign_in(client, newcomer)
    shown = {name: getattr(document(), name) for name in Document.__dataclass_fields__}
    for field, value in (("born_on", date(1899, 12, 31)), ("expires_on", date(2001, 1, 1))):
        assert field in client.post("/identity/", {**shown, field: value}).context["form"].errors
    assert not IdentityCheck.objects.exists()


def test_who_is_turned_down_reads_why_and_shows_another(client, newcomer, ben, sign_in, code):
    check = checks.submit(newcomer, document())
    sign_in(client, ben)
    form = {"check": str(check.handle), "decision": "reject", "reason": "It is cut off.", "code": code(ben)}
    answer = client.post(f"/members/{newcomer.pk}/identity/", form, follow=True)
    assert "What Ana Ruiz showed is turned down." in answer.content.decode()
    sign_in(other := Client(), newcomer)
    text = other.get("/identity/").content.decode()
    assert "It is cut off." in text
    assert 'name="number"' in text


def test_a_stranger_reviews_nothing(client, newcomer, owner, eve, audit, sign_in):
    """AZ-2: a member of another Organization is a 404."""
    checks.submit(newcomer, document())
    page = f"/members/{newcomer.pk}/identity/"
    for member, status in ((eve, 404), (audit, 403), (owner, 302)):
        sign_in(client, member)
        assert client.get(page).status_code == status
        client.post("/sign-out/")


# --- How a review reaches its reviewers ---


def test_who_may_review_is_told_by_mail_and_finds_it_in_the_inbox(client, world, newcomer, ben, cleo, sign_in, mailed):
    """fault pages-B5: a mail, an entry, a count; nothing of what was written, and nothing for who may not."""
    told = mailed(lambda: checks.submit(newcomer, document()))
    waits = [message for message in told if "to verify their identity" in message.subject]
    addresses = {message.to[0] for message in waits}
    assert {ben.user.email, cleo.user.email} <= addresses
    assert not {newcomer.user.email, world.members["audit"].user.email} & addresses
    assert all(document().number not in message.body for message in waits)
    assert f"/members/{newcomer.pk}/identity/" in waits[0].body
    sign_in(client, ben)
    page = client.get("/inbox/")
    assert f"/members/{newcomer.pk}/identity/" in page.content.decode()
    assert page.context["inbox_count"]() == 1
    text = " ".join(page.content.decode().split())
    assert "1 identity waits for you" in text
    assert "waits for you to verify their identity" not in text, "the entry says it, and goes when it is done"
    sign_in(other := Client(), world.members["audit"])
    assert f"/members/{newcomer.pk}/identity/" not in other.get("/inbox/").content.decode()


def test_what_somebody_has_asked_to_verify_waits_as_a_request(newcomer, world, ben, cleo):
    """fault pages-B5: once, and not twice."""
    check = checks.submit(newcomer, document())
    assert [waiting.pk for waiting in reviewers.waiting_for(cleo)] == [check.pk]
    Member.objects.filter(pk=ben.pk).update(factors_reset_at=timezone.now(), factors_enrolled_at=timezone.now())
    assert verify(ben, check).state == State.PENDING
    assert reviewers.waiting_for(cleo) == []


def test_the_review_says_beforehand_that_it_becomes_a_request(client, newcomer, world, ben, sign_in):
    """fault pages-B5: *Verify identity* looked final and turned into a request for two approvals."""
    checks.submit(newcomer, document())
    sign_in(client, ben)
    page = f"/members/{newcomer.pk}/identity/"
    assert "Verifying happens at once." in client.get(page).content.decode()
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(is_locked=True)
    text = " ".join(client.get(page).content.decode().split())
    assert "Verifying will wait for 2 approvals besides yours." in text
    assert "Ask to verify identity" in text


def test_the_form_asks_for_words_and_not_for_a_picture(client, newcomer, sign_in):
    """fault pages-B5: there is nothing to upload."""
    sign_in(client, newcomer)
    text = client.get("/identity/").content.decode()
    assert "Show a document below" not in text
    assert "Write below what your document says" in text


def test_what_was_shown_before_a_removal_is_not_looked_at_once_they_are_back(newcomer, owner, ben):
    """Nobody is verified by a document of a membership that ended, and the new one may show another (security SI-8)."""
    before = checks.submit(newcomer, document())
    assert propose(remove_member, actor=owner, params=RemoveMember(newcomer.pk, ())).state == State.EXECUTED
    invitation = invitations.open_invitation(
        organization=owner.organization, email=newcomer.user.email, name=newcomer.user.name, rights=(), invited_by=owner
    )
    back = invitations.accept(invitation, name=newcomer.user.name, password="another walk by the sea")
    assert before not in reviewers.waiting_for(ben)
    with pytest.raises(Conflict):
        verify(ben, before)
    again = checks.submit(back, document(number="Y12-0000-ABC"))
    assert again in reviewers.waiting_for(ben)
    assert verify(ben, again).state == State.EXECUTED

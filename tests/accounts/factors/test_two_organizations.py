"""People in two Organizations: a weak one must not take over a strong one by way of what they have in common (M4)."""

import re
from base64 import b32decode
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail as outbox
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.authentication import email_links
from accounts.factors import recovery_codes
from accounts.factors.enrolled import held
from accounts.members import invitations
from accounts.models import Authenticator, Invitation, Member, Passkey, Recovery, RecoveryCode, Session
from accounts.models.recovery import OPENS_AFTER
from accounts.models.second_factor import code_at, current_step
from accounts.organizations.founding import add_member
from accounts.security import operator_recovery
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies.changes import decide, propose
from policies.models import State
from portal.core.errors import Refused
from portal.jobs import mail
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import proof
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
SWITCH, APP = "/switch/", "/enrol/app/"


@pytest.fixture
def there(world, ben) -> Member:
    """Ben's place in Elsewhere, whose Owner is Eve: without any right."""
    return add_member(world.elsewhere, ben.user, rights=[])


@pytest.fixture
def taken_over(world, ben, there, eve, django_capture_on_commit_callbacks):
    """A browser of whoever reads Ben's mail, after Eve has reset him in Elsewhere: signed in there."""

    def take():
        with django_capture_on_commit_callbacks(execute=True):
            assert propose(reset_factors, actor=eve, params=ResetFactors(there.pk)).state == State.EXECUTED
        mail.settle()
        client = Client()
        link = next(message for message in outbox.outbox if "/enrol/link/" in message.body)
        client.get("/enrol/link/" + str(link.body).split("/enrol/link/")[1].split("/")[0] + "/")
        assert client.post("/enrol/start/", {"password": PASSWORD}).headers["Location"] == "/enrol/"
        page = client.get(APP).content.decode()
        seed = b32decode("".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page)))
        assert client.post(APP, {"name": "Stolen", "code": code_at(seed, current_step())}).status_code == 302
        return client, seed

    return take


def switch(client, member):
    return client.post(SWITCH, {"organization": member.organization_id}, follow=True)


def test_a_reset_next_door_changes_nothing_here(client, world, owner, ben, there, eve, sign_in, account):
    """fault rules-A (i), fault security-H3: no denial without any mail: Ben goes on here as if nothing had been."""
    sign_in(client, ben)
    recovery_codes.issue(ben.user)
    assert propose(reset_factors, actor=eve, params=ResetFactors(there.pk)).state == State.EXECUTED
    assert client.get("/inbox/").status_code == 200
    assert Session.objects.filter(member=ben).exists()
    assert held(ben) == {"totp"}
    assert held(there) == frozenset()
    assert recovery_codes.remaining(ben) == 10
    assert recovery_codes.remaining(there) == 0
    ben.refresh_from_db()
    assert not ben.is_resting
    money = request_withdrawal(
        actor=world.members["ana"], account=account, key="btc-cold", asset="BTC", amount=Decimal("0.1")
    )
    decide(money.reference, member=ben, approved=True, digest=money.digest, proof=proof(money))
    assert money.decisions.count() == 1


def test_what_is_enrolled_by_the_link_opens_the_neighbour_alone(ben, there, taken_over, account, ana):
    """fault rules-A (ii): who reads Ben's mail is Ben next door, and nobody here, also after a day."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        thief, seed = taken_over()
        assert [*held(ben), *held(there)] == ["totp", "totp"]
        assert thief.get("/inbox/").context["request"].member == there
        assert switch(thief, ben).redirect_chain[-1] == ("/security/confirm/", 302)
        clock.shift(timedelta(hours=25))
        again = Client()
        again.post("/sign-in/", {"email": ben.user.email, "password": PASSWORD})
        assert again.post("/sign-in/code/", {"code": code_at(seed, current_step())}).status_code == 302
        assert again.get("/inbox/").context["request"].member == there
        assert switch(again, ben).redirect_chain[-1] == ("/security/confirm/", 302)
        clock.shift(60)
        page = again.post("/security/confirm/", {"code": code_at(seed, current_step())}).content.decode()
        assert "Not the current code" in page
        money = request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.1"))
        form = {"decision": "approve", "digest": money.digest, "reason": "", "code": code_at(seed, current_step())}
        assert again.post(f"/requests/{money.reference}/decide/", form).headers["Location"] == "/security/confirm/"
        assert not money.decisions.exists()


def test_nor_does_anything_that_is_done_there_with_it(ben, there, taken_over):
    """fault rules-A: new recovery codes, a further factor, and removing the old ones stay next door."""
    kept = recovery_codes.issue(ben.user)
    mine = Authenticator.objects.get(user=ben.user)
    thief, _ = taken_over()
    page = thief.post("/security/recovery-codes/").content.decode()
    (stolen, *_) = re.findall(r"<code translate=\"no\">([A-Z2-9-]{27})</code>", page)
    assert recovery_codes.remaining(ben) == 10
    passkey = SoftPasskey()
    made = passkey.create(thief.post("/enrol/passkey/options/").json())
    assert thief.post("/enrol/passkey/", {"name": "More", "answer": made}).status_code == 302
    assert list(Passkey.objects.get().places.all()) == [there]
    assert thief.post(f"/security/factors/totp/{mine.pk}/remove/").status_code == 404
    assert thief.post(f"/security/factors/totp/{mine.pk}/rename/", {"name": "x"}).status_code == 404
    assert held(ben) == {"totp"}
    recovered = Client()
    recovered.post("/sign-in/", {"email": ben.user.email, "password": PASSWORD})
    assert recovered.post("/sign-in/recovery/", {"code": stolen}).status_code == 302
    assert switch(recovered, ben).redirect_chain[-1][0].startswith("/security/confirm/")
    assert recovered.get(APP).status_code == 302
    assert recovery_codes.use(ben.user, kept[0])


def test_it_holds_the_other_way_as_well(client, world, owner, ben, there, sign_in, django_capture_on_commit_callbacks):
    """fault rules-A: a reset here takes nothing away next door, nor a session there; the way back is the own mail."""
    sign_in(client, ben)
    switch(client, there)
    with django_capture_on_commit_callbacks(execute=True):
        propose(reset_factors, actor=owner, params=ResetFactors(ben.pk))
    assert client.get("/inbox/").context["request"].member == there
    there.refresh_from_db()
    assert not there.is_resting
    page = switch(client, ben)
    assert page.redirect_chain[-1] == ("/security/", 302)
    assert "No second factor of yours counts in Demo Treasury" in page.content.decode()
    assert client.get("/inbox/").context["request"].member == there
    assert client.get("/security/").status_code == 200


def test_it_counts_here_once_it_was_added_here(client, ben, there, taken_over, sign_in, mailed):
    """DESIGN M4: in a session that this Organization takes; told by mail, in the history, and the others end."""
    _, seed = taken_over()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        sign_in(client, ben)
        sign_in(other := Client(), ben)
        page = " ".join(client.get("/security/").content.decode().split())
        assert "Counts elsewhere, not here" in page
        new = Authenticator.objects.get(name="Stolen")
        path = f"/security/factors/totp/{new.pk}/count/"
        assert path in page
        assert "as you, and approve" in client.get(path).content.decode()
        told = mailed(lambda: client.post(path))
        assert any("A second factor was added" in message.subject for message in told)
        assert set(new.places.all()) == {ben, there}
        assert other.get("/inbox/").status_code == 302
        assert "proved_at" not in client.session
        assert client.post(path).status_code == 404
        assert client.post("/security/confirm/", {"code": code_at(seed, current_step())}).status_code == 302


def test_it_takes_a_factor_of_this_place_to_add_one(client, ben, there, taken_over, sign_in):
    """DESIGN M4: what was shown next door adds nothing here, whatever the session says."""
    thief, _ = taken_over()
    new = Authenticator.objects.get(name="Stolen")
    switch(thief, ben)
    assert thief.post(f"/security/factors/totp/{new.pk}/count/").url == "/security/confirm/"
    assert list(new.places.all()) == [there]
    foreign = Authenticator.objects.exclude(user=ben.user).order_by("pk")[0]
    sign_in(client, ben)
    assert client.post(f"/security/factors/totp/{foreign.pk}/count/").status_code == 404


def test_both_reset_is_enrolled_once(world, owner, ben, there, eve, taken_over):
    """DESIGN M4: what is enrolled by a link counts where that Organization reset them too."""
    propose(reset_factors, actor=owner, params=ResetFactors(ben.pk))
    assert held(there) == {"totp"}
    taken_over()
    assert Authenticator.objects.get(user=ben.user).name == "Stolen", "nothing relied on the old one any more"
    assert [*held(ben), *held(there)] == ["totp", "totp"]


def test_a_place_that_begins_takes_what_the_session_was_opened_with(world, owner, cleo, ben, there, taken_over):
    """M1: an invitation accepted next door brings what counts there, and no more."""
    taken_over()
    Member.objects.filter(pk=ben.pk).update(removed_at=timezone.now())
    link = email_links.new_token()
    invitation = Invitation.objects.create(
        organization=world.organization,
        email=ben.user.email,
        name="Ben",
        invited_by=owner,
        token_digest=link.digest,
        created_at=timezone.now(),
        sent_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    back = invitations.accept(invitation, by=there)
    assert back.pk == ben.pk
    assert [device.name for device in Authenticator.objects.filter(places=back)] == ["Stolen"]


def test_a_passkey_that_counts_elsewhere_is_shown_by_the_link(
    world, owner, ben, there, django_capture_on_commit_callbacks
):
    """DESIGN M4: reset here, the passkey of the neighbour may count here too; a device makes no second one."""
    passkey, stranger = SoftPasskey(), SoftPasskey()
    passkey.enrolled(ben.user)
    stranger.enrolled(owner.user)
    with django_capture_on_commit_callbacks(execute=True):
        propose(reset_factors, actor=owner, params=ResetFactors(ben.pk))
    mail.settle()
    row = Passkey.objects.get(user=ben.user)
    assert list(row.places.all()) == [there]
    client = Client()
    link = next(message for message in outbox.outbox if "/enrol/link/" in message.body)
    client.get("/enrol/link/" + str(link.body).split("/enrol/link/")[1].split("/")[0] + "/")
    client.post("/enrol/start/", {"password": PASSWORD})
    assert "A passkey that you hold already" in client.get("/enrol/").content.decode()
    options = client.post("/enrol/passkey/options/", {"change": "known"}).json()
    refused = client.post("/enrol/passkey/", {"known": "1", "answer": stranger.get(options)})
    assert "was not accepted" in refused.content.decode()
    assert not held(ben)
    options = client.post("/enrol/passkey/options/", {"change": "known"}).json()
    answer = passkey.get(options)
    assert client.post("/enrol/passkey/", {"known": "1", "answer": answer}).status_code == 302
    assert set(row.places.all()) == {ben, there}
    assert client.get("/inbox/").context["request"].member == ben
    ben.refresh_from_db()
    assert ben.is_resting
    assert ben.rests_until is not None


def test_who_belongs_to_the_neighbour_stops_the_operator_once_and_not_for_ever(ben, there, eve):
    """fault rules-A: a member of the weak one cancelled every recovery of Ben; now each may cancel one (M4)."""
    operator_recovery.announce(ben.user)
    theirs = Recovery.objects.get(member=there, cancelled_at=None)
    operator_recovery.cancel(actor=eve, number=theirs.pk)
    assert not operator_recovery.running(ben.user)
    operator_recovery.announce(ben.user)
    again = Recovery.objects.get(member=there, cancelled_at=None)
    with pytest.raises(Refused, match="one recovery of Ben Adeyemi before"):
        operator_recovery.cancel(actor=eve, number=again.pk)
    assert len(operator_recovery.running(ben.user)) == 2


def test_the_operators_recovery_is_the_persons_everywhere(ben, there):
    """DESIGN M4: password and recovery stay the person's: nothing counts anywhere, and all their places rest."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        operator_recovery.announce(ben.user)
        clock.shift(OPENS_AFTER)
        operator_recovery.open_enrolment(ben.user)
    for place in (ben, there):
        place.refresh_from_db()
        assert place.is_resting
        assert not held(place)


def test_the_database_holds_that_a_factor_counts_for_its_own_person(ben, ana):
    """fault rules-A: a row that says otherwise is refused, whoever writes it."""
    device = Authenticator.objects.get(user=ben.user)
    code = RecoveryCode.objects.create(user=ben.user, digest="x", created_at=timezone.now())
    for factor in (device, code):
        with pytest.raises(IntegrityError, match="another Organization"), transaction.atomic():
            factor.places.add(ana)


def test_the_security_page_asks_as_much_for_ten_elsewhere(client, ben, there, sign_in, django_assert_max_num_queries):
    def elsewhere(number: int) -> None:
        SoftPasskey().enrolled(ben.user, name=f"Key {number}").places.set([there])

    elsewhere(0)
    sign_in(client, ben)
    with django_assert_max_num_queries(40) as first:
        client.get("/security/")
    for number in range(1, 9):
        elsewhere(number)
    with django_assert_max_num_queries(len(first)):
        client.get("/security/")


def test_a_person_of_one_organization_feels_no_difference(client, owner, ana, sign_in):
    """DESIGN M4: old factors dead, a link to the own mail, enrolled anew."""
    sign_in(client, ana)
    propose(reset_factors, actor=owner, params=ResetFactors(ana.pk))
    assert not Authenticator.objects.filter(user=ana.user).exists()
    assert client.get("/inbox/").status_code == 302
    assert "Counts elsewhere" not in client.get("/security/", follow=True).content.decode()


def test_nobody_approves_here_by_what_counts_next_door(world, ben, there, ana, account):
    """R3: the second factor that counts is one that counts here."""
    for device in Authenticator.objects.filter(user=ben.user):
        device.places.set([there])
    money = request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.1"))
    with pytest.raises(Refused, match="you have no second factor"):
        decide(money.reference, member=ben, approved=True, digest=money.digest, proof=proof(money))

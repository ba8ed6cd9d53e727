"""The operator's way back for who has lost every factor: 48 hours, announced to all, cancelled by any (DESIGN M4)."""

import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.factors import recovery_codes
from accounts.factors.enrolled import held
from accounts.models import Authenticator, Member, Recovery, RecoveryCode, SecurityNotice, Session
from accounts.security import operator_recovery
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from tests.factories.people import also_in
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
EVERYBODY = {f"{short}@demo.test" for short in ("owner", "ana", "ben", "cleo", "fay", "audit")}
TWO_DAYS = timedelta(hours=48)


def recover(email="owner@demo.test"):
    told = StringIO()
    call_command("recoverowner", email, stdout=told)
    return told.getvalue()


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def test_it_is_announced_to_everybody_and_changes_nothing(owner, mailed, clock):
    """DESIGN M4: announced by mail and history; no policy, right or factor is changed."""
    sent = mailed(recover)
    assert {address for message in sent for address in message.to} == EVERYBODY
    assert all("about to reset the second factors of Olive Marsh" in message.subject for message in sent)
    assert all("http://localhost:8000/recoveries/" in message.body for message in sent)
    event = AuditEvent.objects.get(kind="recovery.announced")
    assert (event.actor_kind, event.organization_id) == ("operator", owner.organization_id)
    assert SecurityNotice.objects.filter(kind="recovery_announced").count() == len(EVERYBODY)
    assert Authenticator.objects.filter(user=owner.user, confirmed=True).exists()


def test_not_before_forty_eight_hours(owner, mailed, clock):
    """DESIGN M4: 48 h."""
    recover()
    clock.shift(TWO_DAYS - timedelta(seconds=1))
    with pytest.raises(CommandError, match="Not before"):
        recover()
    assert Authenticator.objects.filter(user=owner.user).exists()


def test_after_them_the_link_goes_to_their_own_address(client, owner, sign_in, mailed, clock):
    """DESIGN M4, F-10: factors go, sessions end, and fresh enrolment opens by mail; approving rests for 24 h."""
    sign_in(client, owner)
    recovery_codes.issue(owner.user)
    recover()
    clock.shift(TWO_DAYS)
    sent = mailed(recover)
    links = [message for message in sent if "/enrol/link/" in message.body]
    assert [message.to for message in links] == [["owner@demo.test"]]
    assert not Authenticator.objects.filter(user=owner.user).exists()
    assert not RecoveryCode.objects.filter(user=owner.user).exists()
    assert not Session.objects.filter(user=owner.user).exists()
    owner.refresh_from_db()
    assert owner.factors_reset_at == timezone.now()
    assert owner.is_owner
    assert AuditEvent.objects.filter(kind="recovery.opened").count() == 1
    (path,) = re.findall(r"http://localhost:8000(/enrol/link/\S+)", links[0].body)
    visitor = Client()
    assert visitor.get(path).headers["Location"] == "/enrol/start/"
    assert visitor.post("/enrol/start/", {"password": PASSWORD}).headers["Location"] == "/enrol/"
    assert visitor.get("/enrol/").status_code == 200
    assert visitor.get("/inbox/").status_code == 302


def test_any_member_cancels_it(client, owner, audit, sign_in, mailed, clock):
    """DESIGN M4: any member may cancel it, also one who may only look."""
    recover()
    sign_in(client, audit)
    assert "Olive Marsh" in client.get("/recoveries/").content.decode()
    sent = mailed(lambda: client.post(f"/recoveries/{Recovery.objects.get().pk}/cancel/"))
    assert {address for message in sent for address in message.to} == EVERYBODY
    assert AuditEvent.objects.get(kind="recovery.cancelled").actor_id == audit.pk
    clock.shift(TWO_DAYS)
    assert "being told" in recover()
    assert Authenticator.objects.filter(user=owner.user).exists()


def test_everybody_sees_it_on_every_page(client, ana, sign_in, clock):
    recover()
    sign_in(client, ana)
    text = client.get("/profile/").content.decode()
    assert "about to reset the second factors of Olive Marsh" in text


def test_the_neighbour_cannot_cancel_it(client, eve, owner, sign_in, clock):
    """AZ-2: foreign ids are like unknown ones."""
    recover()
    sign_in(client, eve)
    assert "Olive Marsh" not in client.get("/recoveries/").content.decode()
    client.post(f"/recoveries/{Recovery.objects.get().pk}/cancel/")
    assert operator_recovery.running(owner.user)


def test_who_belongs_to_two_is_announced_in_both(owner, eve, world, mailed, clock):
    """O1: their factors are the same everywhere, so both are told, and one cancels for both."""
    also_in(world.elsewhere, owner.user)
    sent = mailed(recover)
    assert {address for message in sent for address in message.to} == {*EVERYBODY, "eve@elsewhere.test"}
    theirs = Recovery.objects.get(member__organization=world.elsewhere)
    operator_recovery.cancel(actor=eve, number=theirs.pk)
    assert not operator_recovery.running(owner.user)
    told = AuditEvent.objects.filter(kind="recovery.cancelled")
    assert dict(told.values_list("organization_id", "actor_label")) == {
        world.organization.pk: "operator",
        world.elsewhere.pk: "Eve Aldous",
    }


def test_nobody_loses_factors_where_nobody_was_told(owner, world, clock):
    """A place that began between announcing and opening must not lose what counts there unasked (DESIGN M4)."""
    recover()
    there = also_in(world.elsewhere, owner.user)
    clock.shift(TWO_DAYS)
    assert "Not in Elsewhere" in recover()
    assert held(there) == {"totp"}
    assert held(owner) == frozenset()
    there.refresh_from_db()
    owner.refresh_from_db()
    assert (there.factors_reset_at, owner.factors_reset_at) == (None, timezone.now())
    assert not AuditEvent.objects.filter(kind="recovery.opened", organization=world.elsewhere).exists()
    assert "being told" in recover()
    clock.shift(TWO_DAYS)
    recover()
    assert held(there) == frozenset()
    assert AuditEvent.objects.filter(kind="recovery.opened", organization=world.elsewhere).count() == 1


def test_who_has_suspended_the_person_is_told_as_well(owner, eve, world, clock):
    """Their factors go there too, so nobody there must find that out afterwards."""
    there = also_in(world.elsewhere, owner.user, suspended_at=timezone.now(), suspended_by=eve)
    recover()
    assert Recovery.objects.filter(member=there).exists()


def test_nobody_unknown_is_recovered(world):
    with pytest.raises(CommandError, match="nobody with this address"):
        recover("nobody@demo.test")


def test_it_is_announced_once_at_a_time(owner, clock):
    """Two operators at two consoles: the second one neither begins the 48 hours anew nor tells everybody again."""
    recover()
    with pytest.raises(Conflict, match="A recovery of Olive Marsh is announced already"):
        operator_recovery.announce(owner.user)
    assert Recovery.objects.count() == 1


def test_who_may_come_in_nowhere_is_not_recovered(owner, ben):
    """A factor brings nobody back who is suspended: that has to be lifted first."""
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now(), suspended_by=owner)
    with pytest.raises(CommandError, match="Ben Adeyemi is not an active member of any organization"):
        recover(ben.user.email)
    assert not Recovery.objects.exists()


def test_who_was_suspended_where_it_was_announced_loses_no_factor_for_another_place(owner, ben, world, clock):
    """DESIGN M4: only those who were told could have cancelled it, and there they are out by now."""
    recover(ben.user.email)
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now(), suspended_by=owner)
    there = also_in(world.elsewhere, ben.user)
    clock.shift(TWO_DAYS)
    with pytest.raises(CommandError, match="active member of no organization that was told"):
        recover(ben.user.email)
    assert held(there) == {"totp"}


def test_it_can_be_cancelled_once(ana, ben, clock):
    recover()
    number = Recovery.objects.get().pk
    operator_recovery.cancel(actor=ana, number=number)
    with pytest.raises(NotFound):
        operator_recovery.cancel(actor=ben, number=number)


def test_each_member_cancels_one_recovery_of_the_same_person(ana, ben, owner, clock):
    """fault rules-f: one who may only look kept a lost Owner out for ever; the person counts, and the database too."""
    for canceller in (ana, ben):
        recover()
        if canceller is ben:
            with pytest.raises(Refused, match="one recovery of Olive Marsh before"):
                operator_recovery.cancel(actor=ana, number=Recovery.objects.latest("pk").pk)
        operator_recovery.cancel(actor=canceller, number=Recovery.objects.latest("pk").pk)
    recover()
    with pytest.raises(IntegrityError), transaction.atomic():
        Recovery.objects.filter(cancelled_at=None).update(cancelled_at=timezone.now(), canceller=ana.user_id)
    clock.shift(TWO_DAYS)
    recover()
    assert not Authenticator.objects.filter(user=owner.user).exists()


def test_what_was_announced_long_ago_is_announced_anew(owner, clock):
    """Whoever came since was told of nothing, and who was there has forgotten it."""
    recover()
    clock.shift(TWO_DAYS + timedelta(days=30))
    assert "is being told" in recover()
    assert Authenticator.objects.filter(user=owner.user, confirmed=True).exists()
    clock.shift(TWO_DAYS)
    assert "are removed" in recover()

"""Wrong codes make people wait, stop the one app they were tried on, and never lock a person out (security SI-5)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.authentication import throttle
from accounts.factors import recovery_codes, totp
from accounts.factors.totp import Failure
from accounts.models import Attempts, Authenticator
from accounts.models.recovery import OPENS_AFTER
from accounts.models.second_factor import code_at, current_step
from accounts.security import operator_recovery
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies.changes import propose
from portal.core.secrets.sealing import unseal
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import code as code_of
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db


def codes_wrong(user, times: int) -> None:
    now = timezone.now()
    Attempts.objects.update_or_create(
        key=throttle._codes(user), defaults={"in_a_row": times, "tries": times, "since": now, "last_at": now}
    )


def failed(member, times: int) -> None:
    Authenticator.objects.filter(user=member.user).update(
        throttling_failure_count=times, throttling_failure_timestamp=timezone.now()
    )


def test_after_any_number_of_wrong_codes_the_wait_ends(client, owner):
    """fault security-M2: the count of the person only ever delays; five minutes later the right code is taken."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        codes_wrong(owner.user, 100)
        failed(owner, 99)
        client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
        device = Authenticator.objects.get(user=owner.user)
        shown = code_at(unseal(device.sealed_seed, place=device.place), current_step())
        assert "Too many wrong codes. Wait 5 minutes" in client.post("/sign-in/code/", {"code": shown}).content.decode()
        clock.shift(timedelta(minutes=5, seconds=1))
        client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
        device = Authenticator.objects.get(user=owner.user)
        shown = code_at(unseal(device.sealed_seed, place=device.place), current_step())
        assert client.post("/sign-in/code/", {"code": shown}).status_code == 302
    assert Authenticator.objects.get(user=owner.user).throttling_failure_count == 0


def test_a_hundred_stop_the_app_and_say_what_the_way_is(client, owner):
    """fault security-M2, SI-5: per authenticator."""
    failed(owner, 100)
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        checked = totp.verify(owner.user, totp.current_code(owner.user))
        assert isinstance(checked, Failure)
        assert "Use a passkey or a recovery code, or have another member reset" in checked.message
        made = SoftPasskey()
        made.enrolled(owner.user)
        answer = made.get(client.post("/sign-in/passkey/options/").json())
        assert client.post("/sign-in/passkey/", {"assertion": answer}).status_code == 302
        assert client.get("/inbox/").status_code == 200


def test_another_app_of_the_person_goes_on(owner):
    """SI-5: one authenticator stops, not its owner; every failure counts on each that was asked (F-11)."""
    failed(owner, 100)
    second = totp.enrol(owner.user, totp.offer(owner.user.email))
    shown = code_at(unseal(second.sealed_seed, place=second.place), current_step())
    wrong = f"{(int(shown) + 1) % 1_000_000:06d}"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert isinstance(totp.verify(owner.user, wrong), Failure)
        clock.shift(2)
        shown = code_at(unseal(second.sealed_seed, place=second.place), current_step())
        assert totp.verify(owner.user, shown) == second


def test_a_reset_and_a_recovery_begin_anew(owner, ana):
    """fault security-M2: a new app's right code is taken, though a hundred were wrong before."""
    codes_wrong(ana.user, 100)
    failed(ana, 100)
    propose(reset_factors, actor=owner, params=ResetFactors(ana.pk))
    assert not Attempts.objects.filter(key=throttle._codes(ana.user)).exists()
    totp.enrol(ana.user, totp.offer(ana.user.email))
    assert isinstance(totp.verify(ana.user, code_of(ana)), Authenticator)
    codes_wrong(owner.user, 100)
    failed(owner, 100)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        call_command("recoverowner", owner.user.email)
        clock.shift(OPENS_AFTER)
        operator_recovery.open_enrolment(owner.user)
    assert not Attempts.objects.filter(key=throttle._codes(owner.user)).exists()


def test_a_recovery_code_opens_after_the_stop(client, owner):
    """fault security-M2: 120 bits are guessed by nobody."""
    (spare, *_) = recovery_codes.issue(owner.user)
    failed(owner, 100)
    client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
    assert client.post("/sign-in/recovery/", {"code": spare}).status_code == 302

"""Authenticator apps: which codes pass, how often, and what a stolen dump shows."""

from base64 import b32decode
from datetime import UTC, datetime, timedelta

import django_otp
import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from accounts.factors import totp
from accounts.factors.totp import Failure
from accounts.models import Authenticator
from accounts.models.second_factor import code_at, current_step
from portal.core.secrets.sealing import unseal

NOW = datetime(2026, 11, 22, 9, 30, 10, tzinfo=UTC)


def seed_of(member) -> bytes:
    device = Authenticator.objects.get(user=member.user)
    return unseal(device.sealed_seed, place=device.place)


def verify(member, code):
    with transaction.atomic():
        return totp.verify(member.user, code)


def passes(member, code) -> bool:
    return isinstance(verify(member, code), Authenticator)


def test_codes_are_those_of_the_standard():
    """F-1: RFC 6238 appendix B, SHA-1, shortened to six digits."""
    seed = b"12345678901234567890"
    assert [code_at(seed, at // 30) for at in (59, 1111111109, 1234567890, 20000000000)] == [
        "287082",
        "081804",
        "005924",
        "353130",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("offset", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_only_neighbouring_steps_pass(ana, offset, is_right):
    """F-1: two steps back and two ahead refused."""
    with time_machine.travel(NOW, tick=False):
        assert passes(ana, code_at(seed_of(ana), current_step() + offset)) is is_right


@pytest.mark.django_db
def test_drift_is_not_learned(ana):
    """F-1: a clock that is always late does not shift what is accepted."""
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(3):
            assert passes(ana, code_at(seed_of(ana), current_step() - 1))
            clock.shift(90)
        assert not passes(ana, code_at(seed_of(ana), current_step() - 2))


@pytest.mark.django_db
def test_a_code_passes_once(ana):
    """F-2: and no older one passes after it."""
    with time_machine.travel(NOW, tick=False) as clock:
        seed = seed_of(ana)
        assert passes(ana, code_at(seed, current_step()))
        assert not passes(ana, code_at(seed, current_step()))
        clock.shift(5)
        assert not passes(ana, code_at(seed, current_step() - 1))
        clock.shift(30)
        assert passes(ana, code_at(seed, current_step()))


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_one_code_have_one_success(race, ana):
    """F-2: 8 threads, one code, exactly one success."""
    code = code_at(seed_of(ana), current_step())
    answers = race(lambda _: verify(ana, code), 8)
    assert sum(isinstance(answer, Authenticator) for answer in answers) == 1
    assert sum(isinstance(answer, Failure) for answer in answers) == 7


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["{0}_{1}", " {0}{1}", "{0}{1} ", "{0} {1}", "+{0}{1}", "{0}{1}\n", "0{0}{1}", ""])
def test_anything_but_six_digits_is_refused_before_it_is_read(ana, form):
    """F-3: `"123_456"`, `" 123456"` and their like."""
    code = code_at(seed_of(ana), current_step())
    assert not passes(ana, form.format(code[:3], code[3:]))
    assert Authenticator.objects.get(user=ana.user).throttling_failure_count == 0


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["{0} {1}", "{0}{1}\n", "0{0}{1}", ""])
def test_nor_does_anything_else_pass_at_enrolment_or_by_the_roads_of_django_otp(ana, form):
    """F-3: no form stands before these."""
    offered = totp.offer(ana.user.email)
    shown = code_at(b32decode(offered.secret), current_step())
    assert isinstance(totp.confirm(ana.user, offered, form.format(shown[:3], shown[3:]), name="Phone"), Failure)
    assert Authenticator.objects.filter(user=ana.user).count() == 1
    code = code_at(seed_of(ana), current_step())
    device = Authenticator.objects.get(user=ana.user)
    with transaction.atomic():
        assert django_otp.verify_token(ana.user, device.persistent_id, form.format(code[:3], code[3:])) is None
        assert django_otp.verify_token(ana.user, device.persistent_id, code) == device


@pytest.mark.django_db
def test_django_otp_finds_the_apps_of_a_person_that_have_shown_a_code(ana):
    """An app that was only offered proves nothing of anybody."""
    app = Authenticator.objects.get(user=ana.user)
    assert list(django_otp.devices_for_user(ana.user)) == [app]
    Authenticator.objects.filter(pk=app.pk).update(confirmed=False)
    assert not django_otp.user_has_device(ana.user)
    assert list(django_otp.devices_for_user(ana.user, confirmed=None)) == [app]


@pytest.mark.django_db
def test_arabic_digits_are_refused(ana):
    """F-3: they are digits, but not these."""
    code = code_at(seed_of(ana), current_step())
    assert not passes(ana, code.translate({ord(str(n)): chr(0x0660 + n) for n in range(10)}))


@pytest.mark.django_db
def test_wrong_codes_make_the_next_one_wait(ana):
    """SI-5, as far as it goes: 1, 2, 4 … seconds, in which even the right code is not looked at."""
    with time_machine.travel(NOW, tick=False) as clock:
        right = code_at(seed_of(ana), current_step())
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        assert not passes(ana, wrong)
        answer = verify(ana, right)
        assert isinstance(answer, Failure)
        assert "too soon" in answer.message
        clock.shift(1)
        assert passes(ana, right)
        assert Authenticator.objects.get(user=ana.user).throttling_failure_count == 0


@pytest.mark.django_db
def test_a_dump_shows_no_seed(tmp_path, ana):
    """F-4: neither as base32 nor as hexadecimal digits."""
    offered = totp.offer("new@demo.test")
    user = ana.user
    Authenticator.objects.filter(user=user).delete()
    totp.enrol(user, offered)
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    text = dump.read_text()
    raw = b32decode(offered.secret)
    assert len(raw) == 20, "160 bits"
    assert offered.secret not in text
    assert raw.hex() not in text.lower()
    assert offered.secret not in repr(offered)


@pytest.mark.django_db
def test_a_seed_opens_only_in_its_own_row(ana, ben):
    """SE-1: a copied row is no way in."""
    stolen = Authenticator.objects.get(user=ana.user).sealed_seed
    Authenticator.objects.filter(user=ben.user).update(sealed_seed=stolen)
    with pytest.raises(Exception, match="does not open"):
        verify(ben, "123456")


@pytest.mark.django_db
def test_an_offer_reads_as_apps_expect_it():
    offered = totp.offer("ana@demo.test")
    assert offered.uri.startswith("otpauth://totp/Countersign:ana%40demo.test?secret=" + offered.secret)
    assert "issuer=Countersign" in offered.uri


@pytest.mark.django_db
def test_who_has_no_app_has_no_code(ana):
    Authenticator.objects.filter(user=ana.user).delete()
    assert not passes(ana, "123456")


@pytest.mark.django_db
def test_what_was_spent_while_the_clock_ran_ahead_stops_nobody_and_passes_once(ana):
    """fault operations-F5: codes of the right time pass at once; each one passes once, before, during and after."""
    seed, jump = seed_of(ana), timedelta(hours=2)
    with time_machine.travel(NOW, tick=False) as clock:
        before = code_at(seed, current_step())
        assert passes(ana, before)
        clock.shift(jump)
        ahead = [code_at(seed, current_step() + offset) for offset in (-1, 0, 1)]
        assert all(passes(ana, code) for code in ahead)
        clock.shift(-jump)
        Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
        assert not passes(ana, before)
        Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
        clock.shift(30)
        now = code_at(seed, current_step())
        assert passes(ana, now)
        for _ in range(20):
            clock.shift(60)
            assert passes(ana, code_at(seed, current_step()))
        clock.move_to(NOW + jump)
        for code in ahead:
            Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
            assert not passes(ana, code)


@pytest.mark.django_db
def test_a_failure_noted_while_the_clock_ran_ahead_makes_nobody_wait(ana):
    """fault operations-F5: the wrong code of the jump still counts, so the next one doubles the delay."""
    with time_machine.travel(NOW, tick=False) as clock:
        clock.shift(timedelta(hours=2))
        assert not passes(ana, "000000")
        clock.shift(-timedelta(hours=2))
        assert not passes(ana, "000001")
        clock.shift(1)
        assert isinstance(verify(ana, code_at(seed_of(ana), current_step())), Failure)
        clock.shift(1)
        assert passes(ana, code_at(seed_of(ana), current_step()))

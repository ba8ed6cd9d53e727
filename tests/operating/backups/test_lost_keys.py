"""What really happens when the sealing keys are gone: what docs/runbooks/lose-the-sealing-keys.md says."""

import base64
import secrets

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.api_keys import credentials
from accounts.factors import recovery_codes, totp
from accounts.members.identity import checks
from accounts.models import Authenticator, IdentityCheck, Member
from accounts.models.member import Identity
from accounts.models.second_factor import code_at, current_step
from portal.audit.models import Chain
from portal.core.models import SealingCanary
from portal.core.secrets import canary, sealing
from tests.accounts.members.test_identity import document
from tests.api.calls import Wire
from tests.factories.world import EVERY_PERMISSION, PASSWORD, make_bot

pytestmark = pytest.mark.django_db


@pytest.fixture
def codes(owner) -> list[str]:
    """Printed by the Owner while all was well."""
    return recovery_codes.issue(owner.user)


@pytest.fixture
def lost(settings, codes, treasury_bot):
    """From here on there is another key, under another name."""
    before = settings.SEALING_KEYS
    canary.wrong_keys()
    settings.SEALING_KEYS = "k2:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    _forget()
    yield
    settings.SEALING_KEYS = before
    _forget()


def _forget() -> None:
    """As a process that starts."""
    sealing._keys.cache_clear()
    sealing.derived_key.cache_clear()
    credentials._cache.clear()


def test_the_portal_starts_with_a_key_of_another_name_and_says_what_does_not_open(lost, capsys):
    assert canary.wrong_keys() == []
    with pytest.raises(CommandError, match="These do not open: "):
        call_command("rotatesealingkeys", left=True)
    assert "accounts_authenticator.sealed_seed: 7 left" in capsys.readouterr().out


def test_under_the_old_name_it_does_not_start(lost, settings):
    (name,) = {key for key in SealingCanary.objects.values_list("key", flat=True) if key != "k2"}
    settings.SEALING_KEYS = settings.SEALING_KEYS.replace("k2:", f"{name}:")
    _forget()
    assert canary.wrong_keys() == [name]


def test_bots_are_answered_an_error_until_they_have_new_keys(lost, treasury_bot, owner):
    """AP-7 is of no use to them: nothing can say whether a signature is right."""
    wire = Wire(treasury_bot)
    assert wire.read(wire.send("Balance", b"nonce=1", nonce="1"))["error"] == ["EGeneral:Internal error"]
    new = make_bot(owner, treasury_bot.service_user.account, "new-bot", EVERY_PERMISSION)
    Wire(new).result("Balance")


@pytest.fixture
def shown(ana) -> IdentityCheck:
    """A document that waits for a reviewer."""
    Member.objects.filter(pk=ana.pk).update(identity=Identity.UNVERIFIED)
    return checks.submit(ana, document())


@pytest.mark.parametrize("debug", [False, True])
def test_a_page_that_needs_what_does_not_open_says_whom_to_tell(
    shown, lost, client, ben, sign_in, settings, caplog, debug
):
    sign_in(client, ben)
    settings.DEBUG, client.raise_request_exception = debug, False
    url = reverse("accounts:review_identity", args=[shown.member_id])
    answer = client.get(url)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, False)
    assert "tell whoever runs the portal that a sealing key is missing" in answer.content.decode()
    (line,) = [each.getMessage() for each in caplog.records if each.name == "portal.core.secrets.unopened"]
    assert line.startswith(f"The sealed value at {shown.place} does not open. It was needed for a page, '{url}'.")


def test_codes_of_apps_are_lost_and_recovery_codes_are_not(lost, client, owner, codes, caplog):
    client.raise_request_exception = False
    client.post(reverse("accounts:sign_in"), {"email": owner.user.email, "password": PASSWORD})
    told = client.post(reverse("accounts:verify"), {"code": "123456"})
    assert told.status_code == 200
    assert "Tell whoever runs the portal that a sealing key is missing." in told.content.decode()
    (line,) = [each.getMessage() for each in caplog.records if each.name == "portal.core.secrets.unopened"]
    assert "accounts_authenticator.sealed_seed:" in line
    assert "docs/runbooks/lose-the-sealing-keys.md" in line
    (app,) = Authenticator.objects.filter(user=owner.user)
    assert app.throttling_failure_count == 0
    used = client.post(reverse("accounts:sign_in_recovery"), {"code": codes[0]})
    assert used.status_code == 302
    # Whoever came in that way enrols a new factor first.
    assert client.get(reverse("policies:inbox"))["Location"].startswith(reverse("accounts:enrol"))
    assert client.get(reverse("accounts:enrol_app")).status_code == 200


def test_an_app_that_is_enrolled_anew_counts_once_the_old_one_is_removed(lost, owner):
    (old,) = Authenticator.objects.filter(user=owner.user)
    offered = totp.offer(owner.user.email)
    code = code_at(base64.b32decode(offered.secret), current_step() - 1)
    new = totp.confirm(owner.user, offered, code, name="New phone")
    assert isinstance(new, Authenticator)
    new.places.add(owner)
    now = code_at(base64.b32decode(offered.secret), current_step())
    with pytest.raises(sealing.SealBroken):
        totp.verify(owner.user, now)
    old.delete()
    assert not isinstance(totp.verify(owner.user, now), totp.Failure)


def test_the_history_goes_on_and_cannot_be_proved_from_its_first_event_on(lost, owner):
    before = dict(Chain.objects.values_list("name", "head"))
    with pytest.raises(CommandError, match=r"organization-\d+, event 1: its fields are not those that were recorded"):
        call_command("verifyaudit")
    make_bot(owner, owner.organization.accounts.first(), "another-bot", EVERY_PERMISSION)
    after = dict(Chain.objects.values_list("name", "head"))
    assert after.keys() == before.keys()
    assert after != before

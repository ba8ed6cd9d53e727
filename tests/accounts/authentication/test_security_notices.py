"""Each event of one's own security: one mail after the commit, a notice on the pages, an event in the history."""

import re
from base64 import b32decode

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.factors import recovery_codes, totp
from accounts.models import Authenticator, SecurityNotice
from accounts.models.second_factor import code_at, current_step
from portal.audit.models import AuditEvent
from portal.jobs import mail
from tests.factories.authenticator import SoftPasskey
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "another walk along the river"


def add_app(client, member):
    page = client.get("/enrol/app/").content.decode()
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page))
    code = code_at(b32decode(secret), current_step())
    client.post("/enrol/app/", {"name": "Tablet", "code": code})
    return secret, code


def add_passkey(client, member):
    answer = SoftPasskey().create(client.post("/enrol/passkey/options/").json())
    client.post("/enrol/passkey/", {"name": "Key", "answer": answer})
    return (answer,)


def remove_app(client, member):
    spare = totp.enrol(member.user, totp.offer(member.user.email))
    client.post(f"/security/factors/totp/{spare.pk}/remove/")
    return (spare.sealed_seed,)


def new_codes(client, member):
    page = client.post("/security/recovery-codes/").content.decode()
    return re.findall(r"[A-Z2-9]{6}(?:-[A-Z2-9]{6}){3}", page)


def use_code(client, member):
    codes = recovery_codes.issue(member.user)
    visitor = Client()
    visitor.post("/sign-in/", {"email": member.user.email, "password": PASSWORD})
    visitor.post("/sign-in/recovery/", {"code": codes[0]})
    return codes


def change_password(client, member):
    client.post("/security/password/", {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD})
    return PASSWORD, NEW_PASSWORD


@pytest.mark.parametrize(
    ("act", "kind", "title", "event"),
    [
        (add_app, "factor_added", "A second factor was added.", {"kind": "factor.added", "data__factor": "totp"}),
        (
            add_passkey,
            "factor_added",
            "A second factor was added.",
            {"kind": "factor.added", "data__factor": "passkey"},
        ),
        (remove_app, "factor_removed", "A second factor was removed.", {"kind": "factor.removed"}),
        (new_codes, "recovery_codes_made", "New recovery codes were made.", {"kind": "recovery_codes.made"}),
        (
            use_code,
            "recovery_code_used",
            "A recovery code was used to sign in.",
            {"kind": "sign_in.succeeded", "data__factor": "recovery"},
        ),
        (change_password, "password_changed", "Your password was changed.", {"kind": "password.changed"}),
    ],
)
def test_each_event_of_ones_own_security_is_told(client, owner, sign_in, code, mailed, act, kind, title, event):
    """SI-10: outbox holds one mail, without secrets; in-page notice, AuditEvent; and nothing before the commit."""
    sign_in(client, owner)
    SecurityNotice.objects.all().delete()
    secrets: list[str] = []
    sent = mailed(lambda: secrets.extend(act(client, owner)))
    (message,) = [one for one in sent if title.rstrip(".") in one.subject]
    assert sent == [message]
    assert message.to == [owner.user.email]
    assert secrets
    assert not any(secret in message.subject + message.body for secret in secrets)
    assert AuditEvent.objects.filter(**event, subject_id=owner.pk).count() == 1
    notice = SecurityNotice.objects.get(user=owner.user)
    assert notice.kind == kind
    assert not any(secret in str(notice.data) for secret in secrets)
    assert title in client.get("/profile/").content.decode()


@pytest.mark.parametrize("act", [add_passkey, new_codes, change_password])
def test_nothing_is_told_of_what_did_not_commit(client, owner, sign_in, mailoutbox, act):
    """SI-10: mail after commit."""
    sign_in(client, owner)
    mail.settle()
    mailoutbox.clear()
    with transaction.atomic():
        act(client, owner)
        transaction.set_rollback(True)
    mail.settle()
    assert mailoutbox == []
    assert Authenticator.objects.filter(user=owner.user).exists()


def test_a_notice_is_one_line_until_it_is_opened(client, owner, sign_in):
    """fault pages-B21: 140 to 290 px of every page until it was put away."""
    for kind in ("new_source", "password_changed"):
        SecurityNotice.objects.create(user=owner.user, kind=kind, data={"source": "192.0.2.1"}, at=timezone.now())
    sign_in(client, owner)
    page = client.get("/profile/").content.decode()
    (banner,) = re.findall(r'<div class="notice notice--wait notice--slim".*?</form>\s*</div>', page, re.DOTALL)
    assert "<details>" in banner
    folded = re.sub(r"<details>.*?</details>", "", banner, flags=re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", " ", folded).split())
    assert len(words) < 150
    assert "Your other sessions were ended." in banner
    assert "Your other sessions were ended." not in folded

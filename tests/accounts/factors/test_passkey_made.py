"""Passkeys being made: by a verified person, for this site, and each for one person."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Passkey
from tests.accounts.factors.passkeys import NEW, REFUSED, is_signed_in, options, sign_in_with
from tests.factories.authenticator import SoftPasskey, raw

pytestmark = pytest.mark.django_db


def register(client, made, name="Phone"):
    return client.post("/enrol/passkey/", {"name": name, "answer": made.create(options(client, NEW))}, follow=True)


def test_a_passkey_is_made_and_signs_in_from_then_on(client, owner, sign_in):
    sign_in(client, owner)
    made = SoftPasskey()
    assert "“Phone” is a second factor of yours now" in register(client, made).content.decode()
    assert Passkey.objects.get(user=owner.user).name == "Phone"
    visitor = Client()
    sign_in_with(visitor, made)
    assert is_signed_in(visitor)


def test_making_one_asks_for_a_verified_person_and_names_nobody(client, owner, sign_in):
    """F-5, F-6: UV required; `user.id` is random and stable, neither address nor key."""
    sign_in(client, owner)
    asked, again = options(client, NEW), options(client, NEW)
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    handle = raw(asked["user"]["id"])
    assert handle == raw(again["user"]["id"]) == owner.user.handle.bytes
    assert owner.user.email.encode() not in handle
    assert handle != str(owner.user.pk).encode()
    assert len(handle) == 16


@pytest.mark.parametrize("changed", [{"verifies": False}, {"origin": "https://evil.test"}, {"site": "evil.test"}])
def test_what_is_not_verified_or_of_another_site_is_not_kept(client, owner, sign_in, changed):
    """F-5: at registration too."""
    sign_in(client, owner)
    made = SoftPasskey()
    vars(made).update(changed)
    assert REFUSED in register(client, made).content.decode()
    assert not Passkey.objects.exists()


def test_the_answer_to_a_registration_passes_once(client, owner, sign_in):
    """F-5: replay a response."""
    sign_in(client, owner)
    answer = SoftPasskey().create(options(client, NEW))
    client.post("/enrol/passkey/", {"name": "One", "answer": answer})
    client.post("/enrol/passkey/", {"name": "Two", "answer": answer})
    assert Passkey.objects.get().name == "One"


def test_a_credential_belongs_to_one_person(client, owner, ben, sign_in, passkey):
    """F-6: the page refuses it kindly, and the constraint holds around the form."""
    sign_in(client, ben)
    copy = SoftPasskey(id=passkey.id)
    assert "known here already" in register(client, copy).content.decode()
    assert not Passkey.objects.filter(user=ben.user).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        SoftPasskey(id=passkey.id).enrolled(ben.user)

"""The page of one's own security: factors named, removed with a step-up, and never the last one."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.factors import totp
from accounts.models import Authenticator, Organization, Passkey
from portal.audit.models import AuditEvent
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import also_in

pytestmark = pytest.mark.django_db
PAGE = "/security/"


@pytest.fixture
def passkey(owner):
    return SoftPasskey().enrolled(owner.user, name="Laptop")


@pytest.fixture
def app(owner):
    return Authenticator.objects.get(user=owner.user)


def path(factor, act="") -> str:
    kind = "passkey" if isinstance(factor, Passkey) else "totp"
    return f"/security/factors/{kind}/{factor.pk}/{act}"


def test_the_page_shows_what_one_holds_and_how_one_came_in(client, owner, passkey, sign_in_by_code):
    """fault pages-C24: the password stood under Profile alone."""
    sign_in_by_code(client, owner)
    page = client.get(PAGE).content.decode()
    for words in ("Laptop", "Authenticator app", "You have no recovery codes", "Signed in"):
        assert words in page
    assert 'href="/security/password/"' in page


def test_the_page_asks_as_much_for_one_passkey_as_for_ten(
    client, owner, passkey, sign_in, django_assert_max_num_queries
):
    sign_in(client, owner)
    with django_assert_max_num_queries(25) as first:
        client.get(PAGE)
    for number in range(9):
        SoftPasskey().enrolled(owner.user, name=f"Key {number}")
    with django_assert_max_num_queries(len(first)):
        client.get(PAGE)


def test_a_factor_is_renamed(client, owner, passkey, sign_in):
    sign_in(client, owner)
    assert client.post(path(passkey, "rename/"), {"name": "Work laptop"}).url == PAGE
    passkey.refresh_from_db()
    assert passkey.name == "Work laptop"
    event = AuditEvent.objects.get(kind="factor.renamed")
    assert (event.data["before"], event.data["name"]) == ("Laptop", "Work laptop")


@pytest.mark.parametrize("name", ["", "x" * 41, "a\u202eb"])
def test_a_name_that_shows_nothing_is_refused(client, owner, passkey, sign_in, name):
    sign_in(client, owner)
    assert client.post(path(passkey, "rename/"), {"name": name}).status_code == 200
    passkey.refresh_from_db()
    assert passkey.name == "Laptop"


def test_a_factor_is_removed_with_a_fresh_one(client, owner, passkey, sign_in, code):
    """F-8: fresh and stale session."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=5, seconds=1))
        page = client.post(path(passkey, "remove/")).content.decode()
        assert "Authentication code" in page
        assert Passkey.objects.exists()
        assert client.post(path(passkey, "remove/"), {"code": code(owner)}).url == PAGE
        assert not Passkey.objects.exists()


def test_a_removal_ends_the_other_sessions_and_the_step_up(client, owner, passkey, sign_in, mailed):
    """SI-8, SU-4, SI-10."""
    other = Client()
    sign_in(other, owner)
    sign_in(client, owner)
    told = mailed(lambda: client.post(path(passkey, "remove/")))
    assert other.get("/inbox/").status_code == 302
    assert client.get("/inbox/").status_code == 200
    assert "proved_at" not in client.session
    assert "A second factor was removed" in told[0].subject + told[0].body
    assert AuditEvent.objects.get(kind="factor.removed").data["name"] == "Laptop"


def test_the_last_factor_stays(client, owner, app, sign_in):
    """F-8: the last strong factor cannot be removed by its owner."""
    sign_in(client, owner)
    page = client.post(path(app, "remove/")).content.decode()
    assert "This is your last authenticator app" in page
    assert Authenticator.objects.filter(user=owner.user).exists()


def test_the_last_that_meets_the_level_stays_though_there_are_others(client, owner, passkey, app):
    """F-8: an app does not meet *Passkey only*."""
    Organization.objects.filter(pk=owner.organization_id).update(second_factor_level="passkey")
    made = SoftPasskey()
    made.enrolled(owner.user, name="Phone")
    sign_in_with(client, made)
    assert client.post(path(passkey, "remove/")).url == PAGE
    refused = show(client, made, path(Passkey.objects.get(name="Phone"), "remove/"))
    assert "This is your last passkey" in refused.content.decode()
    assert show(client, made, path(app, "remove/")).url == PAGE
    assert Passkey.objects.get().name == "Phone"


def test_a_level_elsewhere_counts_too(client, world, owner, passkey, sign_in):
    also_in(world.elsewhere, owner.user)
    Organization.objects.filter(pk=world.elsewhere.pk).update(second_factor_level="passkey")
    sign_in(client, owner)
    client.post(path(passkey, "remove/"))
    assert Passkey.objects.exists()


def test_another_persons_factor_is_unknown(client, owner, ben, sign_in):
    """AZ-2: like one that never was."""
    theirs = Authenticator.objects.get(user=ben.user)
    sign_in(client, owner)
    for act in ("rename/", "remove/"):
        assert client.post(path(theirs, act), {"name": "Mine"}).status_code == 404
    assert client.get(path(theirs)).status_code == 404
    assert client.get("/security/factors/other/1/").status_code == 404
    assert Authenticator.objects.filter(pk=theirs.pk).exists()


def test_there_is_an_end_to_apps_and_passkeys(client, owner, passkey, sign_in):
    sign_in(client, owner)
    for _ in range(4):
        totp.enrol(owner.user, totp.offer(owner.user.email))
    for number in range(9):
        SoftPasskey().enrolled(owner.user, name=f"Key {number}")
    assert client.get("/enrol/app/").url == PAGE
    assert "You have 10 passkeys" in client.post("/enrol/passkey/options/").json()["detail"]


def sign_in_with(client, made) -> None:
    client.post("/sign-in/passkey/", {"assertion": made.get(client.post("/sign-in/passkey/options/").json())})


def show(client, made, where):
    return client.post(where, {"assertion": made.get(client.post("/security/passkey/").json())})

"""The set-up page: there while no Organization is, and gone for good afterwards."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.factors import totp
from accounts.models import Account, Member, Organization, User
from accounts.models.member import Identity
from accounts.models.organization import SecondFactorLevel
from accounts.organizations.founding import add_member, set_up
from policies.access import granted
from portal.audit import chain
from portal.core.errors import Conflict
from tests.database import triggers

NEW = "three lanterns under the bridge"
FORM = {
    "organization": "Harbour Fund",
    "currency": "CHF",
    "level": "any",
    "name": "Olga Quist",
    "email": "Olga@Harbour.test",
}
PASSWORDS = {"password": NEW, "again": NEW}


@pytest.fixture
def nothing(transactional_db):
    """An installation in which nobody has founded anything."""
    with triggers.lifted():
        call_command("flush", interactive=False, verbosity=0)


def test_the_front_door_leads_there_while_there_is_nothing(client, nothing):
    assert client.get("/").url == "/setup/"


@pytest.mark.django_db
def test_there_is_no_such_page_once_there_is_an_organization(client, world):
    assert client.get("/").url == "/sign-in/"
    for path in ("/setup/", "/setup/review/"):
        assert client.get(path).status_code == 404
        assert client.post(path, FORM).status_code == 404


def test_from_nothing_to_an_owner_who_enrols(client, nothing):
    """DESIGN O2: name, currency and level, a review, confirmed; the Owner enrols a factor before anything else."""
    assert client.post("/setup/", FORM).url == "/setup/review/"
    assert not Organization.objects.exists()
    review = client.get("/setup/review/").content.decode()
    for words in ("Harbour Fund, in CHF", "Olga Quist, olga@harbour.test", "Authenticator app or passkey"):
        assert words in review
    assert client.post("/setup/review/", PASSWORDS).url == "/enrol/"
    owner = Member.objects.get()
    assert owner.is_owner
    assert owner.identity == Identity.VERIFIED
    assert len(granted(owner)) == 16
    assert Account.objects.get().name == "Main"
    assert chain.verify(owner.organization_id) is None
    for path in ("/inbox/", "/profile/", "/members/"):
        assert client.get(path).status_code == 302
    assert client.get("/enrol/").status_code == 200
    assert client.get("/setup/").status_code == 404
    totp.enrol(owner.user, totp.offer(owner.user.email))
    visitor = Client()
    visitor.post("/sign-in/", {"email": "olga@harbour.test", "password": NEW})
    visitor.post("/sign-in/code/", {"code": totp.current_code(owner.user)})
    text = visitor.get("/welcome/").content.decode()
    assert "You are its Owner." in text
    assert "Invite two members" in text


def test_the_password_is_kept_nowhere_on_the_way(client, nothing):
    """SI-6, SE-4: the session between the two steps holds no password."""
    client.post("/setup/", {**FORM, **PASSWORDS})
    assert NEW not in str(dict(client.session))


def test_passkey_only_is_kept(client, nothing):
    client.post("/setup/", {**FORM, "level": "passkey"})
    assert "Passkey only" in client.get("/setup/review/").content.decode()
    client.post("/setup/review/", PASSWORDS)
    assert Organization.objects.get().second_factor_level == SecondFactorLevel.PASSKEY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("organization", ""),
        ("organization", "x" * 81),
        ("organization", "Har\u200bbour"),
        ("currency", "ZZZ"),
        ("currency", "U$D"),
        ("level", "none"),
        ("email", "olga"),
        ("name", ""),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(client, nothing, field, value):
    answer = client.post("/setup/", {**FORM, field: value})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors


@pytest.mark.parametrize("password", ["harbour fund forever", "olga and the quay", "eleven char"])
def test_the_rules_of_passwords_hold_here(client, nothing, password):
    """SI-6: refused when short, or holding the member's or the organization's name."""
    client.post("/setup/", FORM)
    answer = client.post("/setup/review/", {"password": password, "again": password})
    assert "password" in answer.context["form"].errors
    assert not User.objects.exists()


def test_the_review_takes_the_first_step(client, nothing):
    assert client.get("/setup/review/").url == "/setup/"
    assert client.post("/setup/review/", PASSWORDS).url == "/setup/"


def test_of_two_who_set_up_at_once_one_becomes_the_owner(nothing, race):
    def found(number):
        return set_up(
            name=f"Fund {number}",
            currency="USD",
            level=SecondFactorLevel.ANY,
            email=f"o{number}@fund.test",
            owner_name="Olga",
            password=NEW,
        )

    answers = race(found, 4)
    assert sum(isinstance(answer, Member) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    assert Organization.objects.count() == Member.objects.count() == User.objects.count() == 1


def test_an_address_that_is_known_already_is_left_to_the_operator(client, nothing):
    """Whoever holds that address has a password: the page must not set another one."""
    User.objects.create_user("olga@harbour.test", NEW, name="Olga Before")
    client.post("/setup/", FORM)
    answer = client.post("/setup/review/", PASSWORDS)
    assert "Use the command createorganization" in answer.content.decode()
    assert not Organization.objects.exists()
    assert User.objects.get().name == "Olga Before"


def test_nobody_is_put_twice_into_one_organization(world, ben):
    with pytest.raises(Conflict, match="Ben Adeyemi is a member of Demo Treasury already"):
        add_member(world.organization, ben.user, rights=[])
    assert Member.objects.filter(user=ben.user).count() == 1

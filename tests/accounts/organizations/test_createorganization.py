"""The operator founds an Organization."""

import io
import re
from base64 import b32decode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Member, Organization, User
from accounts.models.second_factor import code_at, current_step
from policies.access import granted
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
PASSWORD = "kept in a drawer at home"


def found(monkeypatch, password: str = PASSWORD, **options: str | bool) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    output = io.StringIO()
    given = {"name": "Harbour Fund", "currency": "eur", "owner_email": "Olga@Harbour.test", "owner_name": "Olga Berg"}
    call_command("createorganization", stdout=output, **{**given, "password_stdin": True, **options})
    return output.getvalue()


def test_its_owner_signs_in_with_what_was_printed(monkeypatch):
    """O2: all four rights on all four workflows, one Account, verified by the operator."""
    printed = found(monkeypatch)
    secret = re.search(r"secret +([A-Z2-7]{32})\n", printed)
    assert secret is not None
    assert f"secret={secret[1]}" in printed
    owner = Member.objects.get(organization__name="Harbour Fund")
    assert (owner.user.email, owner.identity, owner.organization.currency) == ("olga@harbour.test", "verified", "EUR")
    assert granted(owner) == {(workflow, right, None) for workflow in Workflow for right in Right}
    assert [account.name for account in owner.organization.accounts.all()] == ["Main"]
    client = Client()
    client.post("/sign-in/", {"email": "olga@harbour.test", "password": PASSWORD})
    answer = client.post("/sign-in/code/", {"code": code_at(b32decode(secret[1]), current_step())})
    assert answer.status_code == 302
    assert client.get("/members/").status_code == 200


def test_it_is_in_the_history(monkeypatch):
    found(monkeypatch)
    told = AuditEvent.objects.filter(organization__name="Harbour Fund").order_by("sequence")
    assert [(event.kind, event.actor_kind) for event in told] == [
        ("organization.created", "operator"),
        ("account.added", "operator"),
        ("member.added", "operator"),
    ]


def test_who_is_known_keeps_password_and_app(monkeypatch):
    found(monkeypatch)
    printed = found(monkeypatch, name="Elm Street Trust")
    assert "secret" not in printed
    olga = User.objects.get(email__endswith="@harbour.test")
    assert Member.objects.filter(is_owner=True, user=olga).count() == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "password1234"}, "too common"),
        ({"password": "x" * 129}, "at most 128"),
        ({"owner_email": "nobody"}, "not one"),
        ({"name": " "}, "1 to 80"),
        ({"name": "a\nb"}, "1 to 80"),
        ({"owner_name": "Olga\u202eBerg"}, "owner's name has 1 to 80"),
        ({"currency": "€"}, "one of USD, EUR"),
        ({"currency": "ZZZ"}, "one of USD, EUR"),
    ],
)
def test_what_cannot_be_ends_in_one_line(monkeypatch, options, said):
    with pytest.raises(CommandError, match=said) as refused:
        found(monkeypatch, **options)
    assert "\n" not in str(refused.value)
    assert not User.objects.filter(name="Olga Berg").exists()


def test_a_name_is_taken_once(monkeypatch):
    found(monkeypatch)
    with pytest.raises(CommandError, match="already"):
        found(monkeypatch, name="HARBOUR fund", owner_email="other@harbour.test")
    assert User.objects.filter(email__endswith="@harbour.test").count() == 1, "nothing is left of the attempt"


def test_with_passkeys_only_its_owner_gets_a_link_instead(monkeypatch):
    """O4: whoever does not meet the level is led to enrolment; an authenticator app would not meet it."""
    printed = found(monkeypatch, level="passkey")
    assert "secret" not in printed
    path = re.search(r"http://localhost:8000(/enrol/link/\S+)", printed)
    assert path is not None
    client = Client()
    client.get(path[1])
    assert client.post("/enrol/start/", {"password": PASSWORD}).headers["Location"] == "/enrol/"
    text = client.get("/enrol/").content.decode()
    assert "passkey" in text.lower()


def test_a_password_typed_in_two_ways_founds_nothing(monkeypatch):
    """Nobody locks the Owner out by a slip of a key that shows nothing."""
    typed = iter([PASSWORD, PASSWORD + "x"])
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    monkeypatch.setattr("accounts.management.commands.createorganization.getpass", lambda _question: next(typed))
    with pytest.raises(CommandError, match="The two passwords differ"):
        found(monkeypatch, password_stdin=False)
    assert not Organization.objects.filter(name="Harbour Fund").exists()


def test_whoever_founds_by_hand_reads_it_once_more(monkeypatch):
    """O2: shows a review, and confirms."""
    monkeypatch.setattr("builtins.input", {"Found it? [y/N] ": "n"}.__getitem__)
    with pytest.raises(CommandError, match="Nothing was founded"):
        found(monkeypatch, password_stdin=False)
    assert not Organization.objects.filter(name="Harbour Fund").exists()

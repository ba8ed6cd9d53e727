"""The demo that `make run` makes."""

import io
import json
import stat
from base64 import b32decode
from decimal import Decimal

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts.api_keys.lifecycle import find
from accounts.models import ApiKey, Custodian, Member, Organization
from accounts.models.second_factor import code_at, current_step
from policies.models import Group, Policy
from portal.dashboard.demo import migrating, plan
from portal.venues.registry import venue

pytestmark = pytest.mark.django_db


def renamed(person: tuple[str, ...]) -> tuple[str, ...]:
    return (person[0].replace(".test", ".trial.test"), *person[1:])


@pytest.fixture(autouse=True)
def here(settings, tmp_path, monkeypatch):
    """A demo under other names, so that it can be made beside the cast."""
    monkeypatch.setattr(plan, "DEMO", "Trial Treasury")
    monkeypatch.setattr(plan, "ELSEWHERE", "Trial Elsewhere")
    monkeypatch.setattr(plan, "OWNER", renamed(plan.OWNER))
    monkeypatch.setattr(plan, "EVE", renamed(plan.EVE))
    monkeypatch.setattr(plan, "PEOPLE", tuple(renamed(person) for person in plan.PEOPLE))
    settings.DEBUG = True
    settings.VAR = tmp_path
    return tmp_path / "demo.json"


def demo(**options) -> str:
    output = io.StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


def test_names_are_those_that_scripts_rely_on(monkeypatch):
    """DESIGN §10."""
    monkeypatch.undo()
    assert (plan.DEMO, plan.ELSEWHERE) == ("Demo Treasury", "Elsewhere")
    assert [email for email, *_ in (plan.OWNER, *plan.PEOPLE, plan.EVE)] == [
        "owner@demo.test",
        "ana@demo.test",
        "ben@demo.test",
        "cleo@demo.test",
        "fay@demo.test",
        "audit@demo.test",
        "eve@elsewhere.test",
    ]


def test_the_file_says_everything_a_script_needs(here):
    """DESIGN §10: every name that is fixed there."""
    demo()
    told = json.loads(here.read_text())
    assert set(told) == {"base_url", "members", "service_users", "withdrawal_addresses"}
    assert [person["email"].split("@")[0] for person in told["members"]] == [
        "owner",
        "ana",
        "ben",
        "cleo",
        "fay",
        "audit",
        "eve",
    ]
    assert set(told["members"][0]) == {"email", "password", "totp_secret", "organization", "rights"}
    assert told["members"][1]["rights"]["manage_access"] == ["initiate"]
    assert {bot["name"]: bot["organization"] for bot in told["service_users"]} == {
        "trading-bot": "Trial Treasury",
        "treasury-bot": "Trial Treasury",
        "readonly-bot": "Trial Treasury",
        "eve-bot": "Trial Elsewhere",
    }
    treasury = next(bot for bot in told["service_users"] if bot["name"] == "treasury-bot")
    assert set(treasury) == {"name", "organization", "api_key", "api_secret", "permissions", "account", "settings"}
    assert len(treasury["permissions"]) == 10
    assert treasury["settings"]["websocket"] is True
    assert [(row["key"], row["asset"], row["organization"]) for row in told["withdrawal_addresses"]] == [
        ("btc-cold", "BTC", "Trial Treasury"),
        ("eth-cold", "ETH", "Trial Treasury"),
        ("usd-bank", "USD", "Trial Treasury"),
        ("eve-cold", "BTC", "Trial Elsewhere"),
    ]


def test_a_database_that_is_up_to_date_is_not_migrated_again(here, monkeypatch):
    """`make run` asks for both in one command each time."""
    called = []
    monkeypatch.setattr(migrating, "call_command", lambda *arguments, **options: called.append(arguments))
    demo(migrate=True)
    assert here.exists()
    assert called == []


def test_a_database_that_is_behind_is_brought_up_to_date_first(here, monkeypatch):
    called = []
    monkeypatch.setattr(migrating, "call_command", lambda *arguments, **options: called.append(arguments))
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["something"])
    demo(migrate=True)
    assert called == [("migrate",)]


def test_the_file_is_for_its_owner_alone(here):
    demo()
    assert stat.S_IMODE(here.stat().st_mode) == 0o600
    assert [path.name for path in here.parent.iterdir()] == ["demo.json"]


def test_everybody_in_it_can_sign_in(here):
    demo()
    for person in json.loads(here.read_text())["members"]:
        client = Client()
        client.post("/sign-in/", {"email": person["email"], "password": person["password"]})
        code = code_at(b32decode(person["totp_secret"]), current_step())
        assert client.post("/sign-in/code/", {"code": code}).status_code == 302, person["email"]


def test_its_keys_work_and_belong_to_the_owner(here):
    demo()
    for bot in json.loads(here.read_text())["service_users"]:
        assert find(bot["api_key"]) is not None
    owner = Member.objects.get(user__email="owner@demo.trial.test")
    made = ApiKey.objects.filter(service_user__organization=owner.organization)
    assert set(made.values_list("made_by", flat=True)) == {owner.pk}
    assert Custodian.objects.filter(member=owner).count() == 3


def test_the_policies_and_the_money_are_there():
    demo()
    told = {
        (policy.workflow, policy.approvals, policy.always)
        for policy in Policy.objects.filter(organization__name="Trial Treasury")
    }
    assert told == {("initiate_withdrawal", 2, True), ("manage_addresses", 1, False)}
    money = Policy.objects.get(organization__name="Trial Treasury", workflow="initiate_withdrawal")
    assert [(rule["approvals"], len(rule["groups"]), rule["amount"]) for rule in money.rules] == [
        (2, 0, None), (0, 1, "100000"), (0, 1, "500000"),
    ]  # fmt: skip
    board = Group.objects.get(organization__name="Trial Treasury")
    assert sorted(board.memberships.values_list("member__user__name", flat=True)) == ["Cleo Novak", "Fay Lindholm"]
    account = Organization.objects.get(name="Trial Treasury").accounts.get()
    held = {row.asset.code: Decimal(row.units) for row in venue("paper").balances(account.pk)}
    assert set(held) == {"BTC", "ETH", "USD", "EUR", "USDC", "SOL"}
    assert all(units > 0 for units in held.values())


def test_a_second_time_changes_nothing(here):
    first = demo()
    before = here.read_text()
    here.unlink()
    second = demo()
    assert here.read_text() == before
    assert "is made" in first
    assert "is there already" in second
    assert Organization.objects.filter(name__startswith="Trial").count() == 2


def test_it_plays_the_authenticator_app():
    demo()
    code = demo(code="ana@demo.trial.test").strip()
    client = Client()
    printed = demo()
    password = next(line.split()[-1] for line in printed.splitlines() if "password" in line)
    client.post("/sign-in/", {"email": "ana@demo.trial.test", "password": password})
    assert client.post("/sign-in/code/", {"code": code}).status_code == 302


def test_how_long_a_code_works_is_said_beside_it():
    """Fault pages-1, step 2: some seconds of the code are gone before it can be read; it works a step longer (F-1)."""
    demo()
    beside = io.StringIO()
    with time_machine.travel("2026-12-01T12:00:10Z", tick=False):
        call_command("demo", code="ana@demo.trial.test", stdout=io.StringIO(), stderr=beside)
    assert "works once, for 50 seconds" in beside.getvalue()


def test_nobody_else_gets_a_code():
    demo()
    with pytest.raises(CommandError, match="Nobody"):
        demo(code="nobody@demo.test")


@pytest.mark.parametrize("options", [{}, {"code": "ana@demo.trial.test"}])
def test_without_debug_there_is_no_demo(settings, here, options):
    """SC-5: command exits 1."""
    settings.DEBUG = False
    with pytest.raises(CommandError, match="trying out"):
        demo(**options)
    assert not Organization.objects.filter(name__startswith="Trial").exists()
    assert not here.exists()

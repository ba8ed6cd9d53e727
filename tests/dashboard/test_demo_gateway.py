"""The demo's third Account: connected to the exchange that `make run` starts beside, as people would connect it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from policies.models import ChangeRequest
from portal.dashboard.demo import exchange, gateway, plan
from portal.venues.kraken.models import Credential
from tests.running import Running, running

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def beside(tmp_path_factory) -> Iterator[tuple[Path, Running]]:
    """The folder of a portal, and the exchange whose data lies in it."""
    var = tmp_path_factory.mktemp("var")
    with running(var / exchange.FOLDER, prepared=("demoexchange", "--migrate")) as simulated:
        yield var, simulated


@pytest.fixture(autouse=True)
def here(settings, beside, monkeypatch) -> Path:
    """A demo under other names, so that it can be made beside the cast."""
    var, simulated = beside
    monkeypatch.setattr(plan, "DEMO", "Trial Treasury")
    monkeypatch.setattr(plan, "ELSEWHERE", "Trial Elsewhere")
    for name in ("OWNER", "EVE"):
        email, called = getattr(plan, name)
        monkeypatch.setattr(plan, name, (email.replace(".test", ".trial.test"), called))
    people = tuple((email.replace(".test", ".trial.test"), *rest) for email, *rest in plan.PEOPLE)
    monkeypatch.setattr(plan, "PEOPLE", people)
    settings.DEBUG = True
    settings.VAR = var
    settings.EXCHANGES = ["Kraken=https://api.kraken.com", f"{exchange.NAME}={simulated.url}"]
    told: Path = var / "demo.json"
    return told


def demo() -> tuple[str, str]:
    said, beside = io.StringIO(), io.StringIO()
    call_command("demo", stdout=said, stderr=beside)
    return said.getvalue(), beside.getvalue()


def third() -> Account | None:
    return Account.objects.filter(organization__name="Trial Treasury", name="Real (simulated)").first()


def test_it_is_connected_with_one_key_that_withdraws_and_one_for_the_rest(here):
    _, complaints = demo()
    assert complaints == ""
    account = third()
    assert account is not None
    assert account.venue == "kraken"
    held = Credential.objects.filter(account=account, removed_at=None)
    assert {(row.purpose, row.label) for row in held} == {("withdraw", "Withdrawals"), ("rest", "Everything else")}
    assert held.get(purpose="withdraw").permissions == ["withdraw-funds"]
    assert held.get(purpose="withdraw").ip_allowlist == ["127.0.0.1"]


def test_the_file_names_its_bot_and_its_addresses(here):
    demo()
    told = json.loads(here.read_text())
    (bot,) = [bot for bot in told["service_users"] if bot["name"] == "gateway-bot"]
    assert (bot["account"], len(bot["permissions"])) == ("Real (simulated)", 10)
    rows = [row for row in told["withdrawal_addresses"] if row["account"] == "Real (simulated)"]
    assert [(row["key"], row["asset"]) for row in rows] == [("btc-vault", "BTC"), ("eth-vault", "ETH")]


def test_a_second_time_asks_for_nothing(here, settings):
    demo()
    asked = ChangeRequest.objects.count()
    # And the exchange for nothing: it is not there yet when the portal starts.
    settings.EXCHANGES = [f"{exchange.NAME}=http://127.0.0.1:9"]
    assert demo()[1] == ""
    assert ChangeRequest.objects.count() == asked


def test_where_no_exchange_runs_the_demo_is_whole_without_it(settings):
    settings.EXCHANGES = ["Kraken=https://api.kraken.com"]
    assert demo()[1] == ""
    assert third() is None


def test_an_exchange_that_does_not_answer_is_said_and_tried_again(here, settings, monkeypatch):
    monkeypatch.setattr(gateway, "WAIT_SECONDS", 0.0)
    listed = settings.EXCHANGES
    settings.EXCHANGES = [f"{exchange.NAME}=http://127.0.0.1:9"]
    said, complaints = demo()
    assert "The demo is made" in said
    assert "cannot be reached" in complaints
    assert "next `make run` tries again" in complaints
    assert third() is None
    settings.EXCHANGES = listed
    assert demo()[1] == ""
    assert third() is not None


def test_the_exchange_is_simulated_where_debug_is_on_alone(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="trying out"):
        call_command("demoexchange")

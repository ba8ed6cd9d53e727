"""An upgrade without a stop: this release migrates, the one before serves on, and then both serve beside each other."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import krakenex
import psycopg
import pytest
import requests
from django.conf import settings

from tests.operating.copying.conftest import Server
from tests.running import ROOT, free_port, served
from tests.upgrades import previous
from tests.upgrades.previous import Previous
from tests.upgrades.visitor import Visitor, wait_for_room

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.long]
# Of its own suite, what bots, money and deciding stand on.
IMPORTANT = (
    "tests/policies/changes/test_decisions.py",
    "tests/policies/changes/test_execution.py",
    "tests/treasury/operations/test_withdraw.py",
    "tests/api/handlers/test_funding.py",
    "tests/api/handlers/test_trading.py",
)
# A request that waits, of an operation that only a later release knows, whose time is over.
OF_A_LATER_ONE = """
    UPDATE policies_changerequest SET operation = 'treasury.of_a_later_one',
        created_at = now() - interval '2 days', expires_at = now() - interval '1 day'
    WHERE id = (SELECT change_id FROM treasury_withdrawal WHERE reference = %s)
"""


@dataclass(frozen=True)
class Installation:
    """A database that this release has migrated, with the demo in it."""

    url: str
    environment: Mapping[str, str]
    demo: Mapping[str, Any]

    def command(self, *arguments: str, code: Path = ROOT, python: str = sys.executable) -> str:
        """Run one to its end."""
        done = subprocess.run(
            [python, "manage.py", *arguments], cwd=code, env=dict(self.environment), capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def node(self, code: Path = ROOT, python: str = sys.executable) -> Iterator[str]:
        """A node with that code; where it answers."""
        port = free_port()
        environment = {**self.environment, "PORTAL_BASE_URL": f"http://localhost:{port}"}
        with served(port, environment, code=code, python=python):
            yield f"http://127.0.0.1:{port}"

    def bot(self, name: str, url: str) -> "krakenex.API":
        known = next(bot for bot in self.demo["service_users"] if bot["name"] == name)
        api = krakenex.API(known["api_key"], known["api_secret"])
        api.uri = url
        return api

    def visitor(self, name: str, url: str) -> Visitor:
        known = next(person for person in self.demo["members"] if person["email"].startswith(f"{name}@"))
        return Visitor(url, known["email"], known["password"], known["totp_secret"])


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Previous:
    if reason := previous.why_none():
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return previous.unpacked(tmp_path_factory.mktemp("previous") / "code")


@dataclass(frozen=True)
class Kept:
    """What nobody is connected to, and is copied: the name of a database, and the data that belongs to it."""

    name: str
    var: Path


@contextmanager
def databases() -> Iterator[Server]:
    """Where databases are made, and gone afterwards."""
    server = Server()
    try:
        yield server
    finally:
        for name in server.made:
            server.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def surroundings(url: str, var: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "DATABASE_URL": url, "PORTAL_DEBUG": "1", "PORTAL_VAR": str(var),
    }  # fmt: skip


@pytest.fixture(scope="module")
def migrated(before, tmp_path_factory) -> Iterator[Kept]:
    """Migrated by this release."""
    var = tmp_path_factory.mktemp("migrated")
    with databases() as server:
        url = server.empty()
        Installation(url, surroundings(url, var), {}).command("migrate", "--verbosity", "0")
        yield Kept(server.made[-1], var)


@pytest.fixture(scope="module")
def with_demo(migrated: Kept, tmp_path_factory) -> Iterator[Kept]:
    """The same with the demo in it."""
    var = Path(shutil.copytree(migrated.var, tmp_path_factory.mktemp("demo"), dirs_exist_ok=True))
    with databases() as server:
        url = server.empty(migrated.name)
        Installation(url, surroundings(url, var), {}).command("demo", "--migrate")
        yield Kept(server.made[-1], var)


@pytest.fixture
def installation(with_demo: Kept, tmp_path) -> Iterator[Installation]:
    shutil.copytree(with_demo.var, tmp_path, dirs_exist_ok=True)
    demo = json.loads((tmp_path / "demo.json").read_text())
    with databases() as server:
        url = server.empty(with_demo.name)
        yield Installation(url, {**surroundings(url, tmp_path), "PORTAL_API_LIMITS": "0"}, demo)


def ask(api, method: str, /, **fields: object):
    answer = api.query_private(method, fields)
    assert answer["error"] == [], (method, answer)
    return answer["result"]


def trades(api, *, cancels=None) -> None:
    """What a bot does all day; `cancels` is the same bot at another node."""
    assert ask(api, "Balance")
    ask(api, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.002")
    (resting,) = ask(api, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="1000", volume="0.002")[
        "txid"
    ]
    other = cancels or api
    assert resting in ask(other, "OpenOrders")["open"]
    assert ask(other, "CancelOrder", txid=resting)["count"] == 1
    assert resting not in ask(api, "OpenOrders")["open"]
    for method in ("ClosedOrders", "TradesHistory", "Ledgers"):
        assert ask(other, method)["count"] >= 1


def withdraws(api) -> str:
    refid: str = ask(api, "Withdraw", asset="XBT", key="btc-cold", amount="0.1")["refid"]
    return refid


def waiting(visitor: Visitor) -> list[str]:
    """The references in somebody's inbox, the newest first."""
    return list(dict.fromkeys(re.findall(r'href="/requests/([^/"?]+)/', visitor.get("/inbox/"))))


def test_the_release_before_serves_on_at_the_new_schema_and_beside_this_one(installation, before):
    wait_for_room()
    with ExitStack() as nodes:
        old = nodes.enter_context(installation.node(before.code, before.python))
        at_old = {name: installation.bot(name, old) for name in ("trading-bot", "treasury-bot")}
        ben, cleo = installation.visitor("ben", old), installation.visitor("cleo", old)
        trades(at_old["trading-bot"])
        withdraws(at_old["treasury-bot"])
        ben.sign_in()
        references = waiting(ben)
        assert references
        ben.approve(references[0])

        new = nodes.enter_context(installation.node())
        at_new = {name: installation.bot(name, new) for name in ("trading-bot", "treasury-bot")}
        for _ in range(3):
            trades(at_old["trading-bot"], cancels=at_new["trading-bot"])
            trades(at_new["trading-bot"], cancels=at_old["trading-bot"])
        at_either = [withdraws(at_new["treasury-bot"]), withdraws(at_old["treasury-bot"])]
        told = [ask(api["treasury-bot"], "WithdrawStatus", asset="XBT") for api in (at_old, at_new)]
        assert told[0] == told[1]
        assert set(at_either) <= {row["refid"] for row in told[0]}
        # One countersigned at the node before, and once more at the new one: it goes out.
        cleo.url = new
        cleo.sign_in()
        cleo.approve(references[0])
        assert requests.get(f"{old}/readyz", timeout=10).json()["ready"] is True
        assert requests.get(f"{new}/readyz", timeout=10).json()["ready"] is True
    for code, python in ((ROOT, sys.executable), (before.code, before.python)):
        installation.command("verifyaudit", code=code, python=python)
        installation.command("checkledger", code=code, python=python)


def test_it_says_that_a_later_release_has_migrated_and_ends_what_it_does_not_know(installation, before):
    with psycopg.connect(installation.url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '9999_of_a_later_one', now())"
        )
        with installation.node(before.code, before.python) as old:
            said = requests.get(f"{old}/readyz", timeout=10).json()
            assert (said["ready"], said["migrations"], said["version"]) == (True, "ahead", before.version)
            if before.knows("portal/core/database/migrating/release.py"):
                assert said["migrated_by"] == settings.VERSION
            treasury = installation.bot("treasury-bot", old)
            held = ask(treasury, "Balance")["XXBT"]
            refid = withdraws(treasury)
            assert ask(treasury, "Balance")["XXBT"] != held
            owner.execute("ALTER TABLE policies_changerequest DISABLE TRIGGER USER")
            owner.execute(OF_A_LATER_ONE, [refid])
            owner.execute("ALTER TABLE policies_changerequest ENABLE TRIGGER USER")
            ben = installation.visitor("ben", old)
            wait_for_room()
            ben.sign_in()
            # It stops neither the list nor another request, and once it is touched it ends, with what it held.
            waiting(ben)
            installation.command("expirechanges", code=before.code, python=before.python)
            ended = owner.execute(
                "SELECT state FROM policies_changerequest WHERE operation = 'treasury.of_a_later_one'"
            )
            assert ended.fetchall() == [("expired",)]
            assert withdraws(treasury)
            assert ask(treasury, "WithdrawStatus", asset="XBT")


def test_its_own_suite_passes_at_the_new_schema(before, migrated, tmp_path):
    """What bots, money and deciding stand on, with the database that this release makes under its feet."""
    shutil.copytree(migrated.var, tmp_path, dirs_exist_ok=True)
    with databases() as server:
        server.empty()
        (bare,) = server.made
        server.made.append(f"test_{bare}")
        server.run(f'CREATE DATABASE "test_{bare}" TEMPLATE "{migrated.name}"')
        done = subprocess.run(
            [before.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--reuse-db", *IMPORTANT],
            cwd=before.code, env=surroundings(server.url(bare), tmp_path), capture_output=True, text=True,
            check=False, timeout=540,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:]

"""From SQLite to PostgreSQL with everything that was there, whatever happens on the way."""

import json
import re
import signal
import sqlite3
import subprocess

import krakenex
import psycopg
import pytest

from tests.operating.copying import schema
from tests.operating.copying.conftest import Lively
from tests.running import ROOT, free_port, served
from tests.upgrades.visitor import Visitor, wait_for_room

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]
# What is printed when it is killed, one after the other: nothing written, rows under way, all rows in, compared.
MOMENTS = (
    r"is migrated and empty",
    r"^accounts_apikey: \d+ rows",
    r"^audit_auditevent: 14 of",
    r"^paper_posting: 28 of",
    r"^foreign keys and sequences",
    r"^paper_trade: the same",
)


def heads(lively: Lively, at: str = "") -> str:
    done = lively.command("verifyaudit", DATABASE_URL=at) if at else lively.command("verifyaudit")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_of_it_is_there_and_works_on(lively, prepared, server, migrated):
    there = server.empty()  # it is migrated on the way
    done = lively.command("copydatabase", "--to", there)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Copied. Both are the same.\n")
    before = heads(lively)
    assert len(before.splitlines()) == 2
    assert heads(lively, there) == before
    assert before in done.stdout
    assert lively.command("checkledger", DATABASE_URL=there).returncode == 0
    assert schema.of(there) == schema.of(server.url(migrated))
    assert lively.command("copydatabase", "--check", "--to", there).returncode == 0
    _it_works_on(lively, there)
    unlike = lively.command("copydatabase", "--check", "--to", there)
    assert unlike.returncode == 1
    assert unlike.stderr.count("\n") == 1
    _and_on_to_another(lively, there, prepared())


def _it_works_on(lively, there) -> None:
    port = free_port()
    bots = {bot["name"]: (bot["api_key"], bot["api_secret"]) for bot in lively.demo["service_users"]}
    ben = next(person for person in lively.demo["members"] if person["email"].startswith("ben"))
    environment = {**lively.environment, "DATABASE_URL": there, "PORTAL_BASE_URL": f"http://localhost:{port}"}
    with served(port, environment):
        url = f"http://127.0.0.1:{port}"
        trading, treasury = krakenex.API(*bots["trading-bot"]), krakenex.API(*bots["treasury-bot"])
        trading.uri = treasury.uri = url
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
        for api, method, given in (
            (trading, "Balance", {}),
            (trading, "AddOrder", order),
            (treasury, "Withdraw", {"asset": "XBT", "key": "btc-cold", "amount": "0.3"}),
        ):
            answer = api.query_private(method, given)
            assert answer["error"] == [], answer
        wait_for_room()
        visitor = Visitor(url, ben["email"], ben["password"], ben["totp_secret"])
        visitor.sign_in()
        (reference, *_) = re.findall(r'href="/requests/([^/"?]+)/', visitor.get("/inbox/"))
        visitor.approve(reference)
    for command in ("verifyaudit", "checkledger"):
        assert lively.command(command, DATABASE_URL=there).returncode == 0


def _and_on_to_another(lively, there, further) -> None:
    """From PostgreSQL to PostgreSQL, while nobody else is connected."""
    with psycopg.connect(there):
        refused = lively.command("copydatabase", "--to", further, DATABASE_URL=there)
        assert refused.returncode == 1
        assert "is in use by" in refused.stderr
    done = lively.command("copydatabase", "--to", further, DATABASE_URL=there)
    assert done.returncode == 0, done.stderr
    assert heads(lively, further) == heads(lively, there)


def test_it_goes_on_where_it_was_killed(lively, prepared, server, migrated):
    there = prepared()
    for moment in MOMENTS:
        killed_at = _killed(lively, there, moment)
        assert killed_at, moment
        with psycopg.connect(there) as asking:
            off = asking.execute("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'O'").fetchall()
        assert off == [], f"{moment}: triggers stay off"
    unfinished = lively.command("copydatabase", "--check", "--to", there)
    assert "has not ended" in unfinished.stderr
    done = lively.command("copydatabase", "--to", there, rows=7)
    assert done.returncode == 0, done.stderr
    assert "goes on" in done.stdout
    assert heads(lively, there) == heads(lively)
    assert schema.of(there) == schema.of(server.url(migrated))


def _killed(lively, there, moment: str) -> bool:
    """Whether it was at it that was killed, some lines after it began."""
    with subprocess.Popen(
        lively.called("copydatabase", "--to", there, rows=7), cwd=ROOT, env=dict(lively.environment), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if re.search(moment, line):
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.read()
        return process.wait(60) == -signal.SIGKILL


def test_a_source_that_went_on_meanwhile_is_not_mixed_with_what_it_was(lively, prepared, tmp_path):
    own, there = lively.of_its_own(tmp_path / "var"), prepared()
    assert _killed(own, there, r"^audit_auditevent: 14 of")
    founded = own.command(
        "createorganization", "--name", "Later", "--currency", "USD", "--owner-email", "x@later.test",
        "--owner-name", "Xenia", "--sign-in-level", "totp",
    )  # fmt: skip
    done = own.command("paperdeposit", "--organization", "Demo Treasury", "--asset", "BTC", "--amount", "1")
    assert 0 in {founded.returncode, done.returncode}, (founded.stderr, done.stderr)
    refused = own.command("copydatabase", "--to", there)
    assert refused.returncode == 1
    assert "is not as it was" in refused.stderr


def test_what_is_not_empty_is_left_alone(lively, server):
    there = server.empty()
    with psycopg.connect(there) as writing:
        writing.execute("CREATE TABLE notes (note text)")
        writing.execute("INSERT INTO notes VALUES ('mine')")
    refused = lively.command("copydatabase", "--to", there)
    assert refused.returncode == 1
    assert "is not empty: there are rows in notes" in refused.stderr
    assert refused.stderr.count("\n") == 1
    with psycopg.connect(there) as asking:
        assert asking.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (1,)


def test_values_that_do_not_fit_are_named_before_anything_is_written(lively, server, tmp_path):
    own, there = lively.of_its_own(tmp_path / "var"), server.empty()
    with sqlite3.connect(own.folder / "portal.sqlite3") as spoiling:
        spoiling.execute("UPDATE accounts_user SET name = ? WHERE id = 2", ["x" * 300])
        spoiling.execute("UPDATE accounts_user SET name = ? WHERE id = 1", ["Olive\0Marsh"])
    spoiling.close()
    refused = own.command("copydatabase", "--to", there)
    assert refused.returncode == 1, refused.stdout
    assert "accounts_user.name of 2: 300 letters" in refused.stdout
    assert "accounts_user.name of 1: it holds a NUL" in refused.stdout
    assert "Of 2 values PostgreSQL would take none" in refused.stderr
    with psycopg.connect(there) as asking:
        assert asking.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_another_sealing_key_is_refused(lively, server):
    there = server.empty()
    name = json.loads((lively.folder / "keys.json").read_text())["sealing_keys"].partition(":")[0]
    other = f"{name}:mDeDpXcJ4sM7Jw3-5kT0aX1bq9l2c7yqGvN8uOe4rTw="
    refused = lively.command("copydatabase", "--to", there, PORTAL_SEALING_KEYS=other)
    assert refused.returncode == 1
    assert "is not the key that has sealed this database" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_whoever_has_the_source_open_has_to_go_first(lively, prepared):
    there = prepared()
    still_here = sqlite3.connect(lively.folder / "portal.sqlite3")
    try:
        still_here.execute("SELECT count(*) FROM accounts_user").fetchone()
        refused = lively.command("copydatabase", "--to", there)
    finally:
        still_here.close()
    assert refused.returncode == 1
    assert "is in use: stop every node" in refused.stderr


@pytest.mark.parametrize("to", ["sqlite:///elsewhere.sqlite3", "nonsense", "postgres://nobody@127.0.0.1:1/nowhere"])
def test_what_is_no_target_is_said_in_one_line(lively, server, to):
    refused = lively.command("copydatabase", "--to", to)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1, refused.stderr
